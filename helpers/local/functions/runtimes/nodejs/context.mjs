/** The context object. AWS Lambda developer guide, "Using the Lambda context object to retrieve
 * Node.js function information". */

/** `headers` are those with which the event came, their names in lower case. */
export function newContext(headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    identity: parsed(headers['lambda-runtime-cognito-identity']),
    clientContext: parsed(headers['lambda-runtime-client-context']),
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

function parsed(header) {
  return header === undefined ? undefined : JSON.parse(header);
}
