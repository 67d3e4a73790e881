package workshop;

import com.amazonaws.services.lambda.runtime.Context;

/** A function as the loop sees it: from the bytes of an event to those of a response. */
interface Handler {
    byte[] handle(byte[] event, Context context) throws Throwable;
}
