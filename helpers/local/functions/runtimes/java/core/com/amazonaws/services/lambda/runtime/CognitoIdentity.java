package com.amazonaws.services.lambda.runtime;

/** The identity of Amazon Cognito with which an application invoked the function. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
