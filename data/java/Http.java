package example;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The answer to an HTTP request, over the older of the JDK's two clients.
 *
 * <p>It loads fewer classes than java.net.http and needs no module besides java.base, which is what counts at
 * a cold start. `requestId` is the header in which the Lambda Runtime API names an
 * invocation; null where there is none.
 */
record Http(int status, String body, String requestId) {
    /** The body is sent, as UTF-8, with POST only. Waits for an answer as long as it takes. */
    static Http send(String method, URI address, Map<String, String> headers, String body) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection();
        connection.setRequestMethod(method);
        for (Map.Entry<String, String> header : headers.entrySet()) {
            connection.setRequestProperty(header.getKey(), header.getValue());
        }
        if (method.equals("POST")) {
            connection.setDoOutput(true);
            connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        }
        int status = connection.getResponseCode();
        InputStream answer = status < 400 ? connection.getInputStream() : connection.getErrorStream();
        // Read to its end, so that the connection is kept for the next request.
        String text = answer == null ? "" : new String(answer.readAllBytes(), StandardCharsets.UTF_8);
        return new Http(status, text, connection.getHeaderField("Lambda-Runtime-Aws-Request-Id"));
    }
}
