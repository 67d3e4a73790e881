package workshop;

/** One event of the Runtime API. What an invocation came without is null. */
record Event(
        String requestId,
        long deadlineMs,
        String functionArn,
        String traceId,
        String clientContext,
        String cognitoIdentity,
        byte[] body) {}
