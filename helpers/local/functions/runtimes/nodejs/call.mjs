/**
 * Call the handler and wait for what it answers: by promise, by callback, or into a stream.
 *
 * AWS Lambda developer guide, "Define Lambda function handler in Node.js": callbacks, and the
 * methods of the context that end an invocation, exist up to Node.js 22.
 */

import { NodeJsExit } from './errors.mjs';
import { ResponseStream, isStreaming } from './response_stream.mjs';
import { RUNTIME_VERSION } from './runtime_version.mjs';

export const callbacksAreSupported = RUNTIME_VERSION < 24;

let whenEventLoopIsEmpty = null;

if (callbacksAreSupported) {
  process.on('beforeExit', () => {
    const listener = whenEventLoopIsEmpty;
    whenEventLoopIsEmpty = null;
    listener?.();
  });
}

/** Returns a promise of `{ body, contentType }`, which rejects with the handler's error. */
export function callHandler(handler, event, context) {
  if (isStreaming(handler)) {
    return callStreamingHandler(handler, event, context);
  }
  return callbacksAreSupported
    ? callWithCallback(handler, event, context)
    : callAsync(handler, event, context);
}

async function callAsync(handler, event, context) {
  try {
    return serialised(await handler(event, context));
  } finally {
    // Rejections that nobody waits for are reported before the response, as AWS's runtime does.
    await new Promise(setImmediate);
  }
}

function callWithCallback(handler, event, context) {
  return new Promise((resolve, reject) => {
    let answered = false;
    const answerOnce = (answer) => (...args) => {
      if (!answered) {
        answered = true;
        whenEventLoopIsEmpty = null;
        answer(...args);
      }
    };
    const succeed = (result) => {
      try {
        resolve(serialised(result));
      } catch (error) {
        reject(error);
      }
    };
    const done = (error, result) => (isGiven(error) ? reject(error) : succeed(result));

    context.callbackWaitsForEmptyEventLoop = true;
    context.done = answerOnce(done);
    context.succeed = answerOnce(succeed);
    context.fail = answerOnce((error) => reject(isGiven(error) ? error : 'handled'));
    const callback = answerOnce((error, result) => {
      if (isGiven(error) || !context.callbackWaitsForEmptyEventLoop) {
        done(error, result);
      } else {
        whenEventLoopIsEmpty = () => succeed(result);
      }
    });

    const isAsync = handler.constructor.name === 'AsyncFunction';
    whenEventLoopIsEmpty = () => (isAsync ? reject(new NodeJsExit()) : succeed(null));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === 'function') {
      returned.then(context.succeed, context.fail);
    }
  });
}

async function callStreamingHandler(handler, event, context) {
  const stream = new ResponseStream();
  const returned = handler(event, stream, context);
  if (typeof returned?.then !== 'function') {
    throw new Error('Streaming does not support non-async handlers.');
  }
  if ((await returned) !== undefined) {
    console.warn('Streaming handlers ignore return values.');
  }
  return { body: await stream.content(), contentType: stream.contentType };
}

function serialised(result) {
  try {
    return { body: JSON.stringify(result) ?? 'null', contentType: 'application/json' };
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

function isGiven(error) {
  return error !== undefined && error !== null;
}
