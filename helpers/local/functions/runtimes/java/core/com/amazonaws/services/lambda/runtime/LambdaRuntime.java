package com.amazonaws.services.lambda.runtime;

/** The runtime's logger, for code that has no context, such as a constructor. */
public final class LambdaRuntime {
    // The runtime sets it before it loads the function.
    private static volatile LambdaLogger logger;

    private LambdaRuntime() {}

    public static LambdaLogger getLogger() {
        return logger;
    }
}
