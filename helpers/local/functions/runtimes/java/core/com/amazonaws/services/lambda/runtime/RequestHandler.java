package com.amazonaws.services.lambda.runtime;

/** A function from an object to an object; the runtime turns them from and into JSON. */
public interface RequestHandler<I, O> {
    O handleRequest(I input, Context context);
}
