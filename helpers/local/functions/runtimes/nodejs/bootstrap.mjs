/**
 * First program of a Node.js execution environment: load the handler, then serve one event after
 * the other, as AWS's Node.js runtimes do.
 *
 * AWS Lambda developer guide, "Building Lambda functions with Node.js" and "Using the Lambda
 * runtime API for custom runtimes". Where the guide is silent, the source of AWS's own runtime
 * interface client for Node.js says how the runtime behaves.
 */

import { callHandler, callbacksAreSupported } from './call.mjs';
import { newContext } from './context.mjs';
import { CallbackHandlerDeprecated, UnhandledPromiseRejection } from './errors.mjs';
import { loadHandler } from './handler.mjs';
import { logError, patchConsole, setRequestId } from './log.mjs';
import { isStreaming, provideStreaming } from './response_stream.mjs';
import { RuntimeApi } from './runtime_api.mjs';

const EXIT_UNCAUGHT_EXCEPTION = 129;
const EXIT_UNHANDLED_REJECTION = 128;

const api = new RuntimeApi(process.env.AWS_LAMBDA_RUNTIME_API);
let report = (error) => api.postInitError(error);

async function load() {
  const handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  if (handler.length >= 3 && !isStreaming(handler) && !callbacksAreSupported) {
    throw new CallbackHandlerDeprecated();
  }
  return handler;
}

async function serve(handler) {
  for (;;) {
    // Between events an error has nobody to be reported to.
    report = () => {};
    const { headers, body } = await api.next();
    const context = newContext(headers);
    const requestId = context.awsRequestId;
    report = (error) => api.postError(requestId, error);
    setRequestId(requestId);
    moveTraceIdToEnvironment(headers['lambda-runtime-trace-id']);
    let response;
    try {
      response = await callHandler(handler, JSON.parse(body), context);
    } catch (error) {
      logError('Invoke Error', error);
      await report(error);
      continue;
    }
    await api.postResponse(requestId, response);
  }
}

function moveTraceIdToEnvironment(traceId) {
  if (traceId === undefined) {
    delete process.env._X_AMZN_TRACE_ID;
  } else {
    process.env._X_AMZN_TRACE_ID = traceId;
  }
}

async function end(title, error, exitCode) {
  logError(title, error);
  try {
    await report(error);
  } finally {
    process.exit(exitCode);
  }
}

patchConsole();
provideStreaming();
process.on('uncaughtException', (error) => end('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION));
process.on('unhandledRejection', (reason, promise) => {
  const error = new UnhandledPromiseRejection(reason, promise);
  end('Unhandled Promise Rejection', error, EXIT_UNHANDLED_REJECTION);
});

load().then(serve, (error) => {
  const title = callbacksAreSupported ? 'Uncaught Exception' : 'Init Error';
  return end(title, error, EXIT_UNCAUGHT_EXCEPTION);
});
