/** The runtime's own errors, and the form in which Lambda takes any error. */

import { types } from 'node:util';

/** An error that carries the name under which AWS documents it. */
class RuntimeError extends Error {
  get name() {
    return `Runtime.${this.constructor.name}`;
  }
}

export class HandlerNotFound extends RuntimeError {}
export class MalformedHandlerName extends RuntimeError {}
export class MalformedStreamingHandler extends RuntimeError {}

export class ImportModuleError extends RuntimeError {
  constructor(cause) {
    super(String(cause));
  }
}

export class UserCodeSyntaxError extends RuntimeError {
  constructor(cause) {
    super(String(cause));
    // Where in the function's code it stands, rather than where the runtime noticed it.
    this.stack = cause.stack;
  }
}

export class CallbackHandlerDeprecated extends RuntimeError {
  constructor() {
    super(
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. ' +
        'You need to modify this function to use a supported handler signature to use Node.js 24 or later. ' +
        'For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
    );
  }
}

export class NodeJsExit extends RuntimeError {
  constructor() {
    super(
      'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a ' +
        'Promise that was never settled. For more information, see ' +
        'https://nodejs.org/docs/latest/api/process.html#exit-codes',
    );
  }
}

export class UnhandledPromiseRejection extends RuntimeError {
  constructor(reason, promise) {
    super(String(reason));
    this.reason = reason;
    this.promise = promise;
  }
}

/** AWS Lambda developer guide, "Using the Lambda runtime API": errorType, errorMessage, trace. */
export function errorDocument(error) {
  try {
    if (types.isNativeError(error) || error instanceof Error) {
      return { errorType: error.name, errorMessage: error.message, trace: lines(error.stack) };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its ' +
        'message, name, and stack',
      trace: [],
    };
  }
}

/** An error as the text format logs it: a tab, then everything of it as JSON. */
export function errorText(error) {
  const describe = (key, value) => {
    if (!(value instanceof Error)) {
      return value;
    }
    const { name: errorType, message: errorMessage, code, stack } = value;
    return { errorType, errorMessage, code, ...value, stack: lines(stack) };
  };
  try {
    return `\t${JSON.stringify(error, describe)}`;
  } catch {
    return `\t${JSON.stringify(errorDocument(error))}`;
  }
}

export function lines(stack) {
  return typeof stack === 'string' ? stack.split('\n') : [];
}
