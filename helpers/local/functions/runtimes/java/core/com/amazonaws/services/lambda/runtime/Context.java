package com.amazonaws.services.lambda.runtime;

/**
 * What a handler may ask about its invocation.
 *
 * <p>The interfaces of this package are those that AWS's Java runtimes have on their class path. AWS
 * Lambda developer guide, "Using the Lambda context object to retrieve Java function information".
 */
public interface Context {
    String getAwsRequestId();

    String getLogGroupName();

    String getLogStreamName();

    String getFunctionName();

    String getFunctionVersion();

    String getInvokedFunctionArn();

    /** Null unless an application invoked the function with an identity of Amazon Cognito. */
    CognitoIdentity getIdentity();

    /** Null unless the invocation came with a client context. */
    ClientContext getClientContext();

    int getRemainingTimeInMillis();

    int getMemoryLimitInMB();

    LambdaLogger getLogger();
}
