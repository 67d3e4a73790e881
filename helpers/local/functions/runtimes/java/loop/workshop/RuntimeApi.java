package workshop;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Client of AWS Lambda's Runtime API.
 *
 * <p>HTTP/1.1 over one connection, one request after the other, every answer with its length: for
 * that little, the JDK's own clients would take longer to load than everything else here.
 */
final class RuntimeApi {
    private static final String PREFIX = "/2018-06-01/runtime";
    private static final String ERROR_TYPE = "application/vnd.aws.lambda.error+json";
    private static final int BUFFER_BYTES = 16 * 1024;

    private final String address;
    private final InputStream input;
    private final OutputStream output;

    RuntimeApi(String address) throws IOException {
        this.address = address;
        int colon = address.lastIndexOf(':');
        InetAddress host = InetAddress.getByName(address.substring(0, colon));
        // Without NO_PROXY the JDK would load what it needs to look for one.
        Socket socket = new Socket(Proxy.NO_PROXY);
        socket.connect(new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1))));
        socket.setTcpNoDelay(true);
        input = new BufferedInputStream(socket.getInputStream(), BUFFER_BYTES);
        output = socket.getOutputStream();
    }

    /** The next event, once there is one. */
    Event next() throws IOException {
        send("GET", "/invocation/next", "", new byte[0]);
        Map<String, String> headers = readHeaders();
        return new Event(
                headers.get("lambda-runtime-aws-request-id"),
                Long.parseLong(headers.get("lambda-runtime-deadline-ms")),
                headers.get("lambda-runtime-invoked-function-arn"),
                headers.get("lambda-runtime-trace-id"),
                headers.get("lambda-runtime-client-context"),
                headers.get("lambda-runtime-cognito-identity"),
                readBody(headers));
    }

    void postResponse(String requestId, byte[] response) throws IOException {
        post("/invocation/" + requestId + "/response", "Content-Type: application/json\r\n", response);
    }

    void postError(String requestId, Fault fault) throws IOException {
        post("/invocation/" + requestId + "/error", errorHeaders(fault), fault.document());
    }

    void postInitError(Fault fault) throws IOException {
        post("/init/error", errorHeaders(fault), fault.document());
    }

    private static String errorHeaders(Fault fault) {
        String contentType = "Content-Type: " + ERROR_TYPE + "\r\n";
        String type = fault.type();
        String errorType = type == null ? "" : "Lambda-Runtime-Function-Error-Type: " + type + "\r\n";
        return contentType + errorType;
    }

    private void post(String path, String headers, byte[] body) throws IOException {
        send("POST", path, headers, body);
        // Lambda tells the caller itself what is wrong with an outcome that it does not accept.
        readBody(readHeaders());
    }

    private void send(String method, String path, String headers, byte[] body) throws IOException {
        String head = method + " " + PREFIX + path + " HTTP/1.1\r\nHost: " + address + "\r\n" + headers
                + "Content-Length: " + body.length + "\r\n\r\n";
        byte[] headBytes = head.getBytes(StandardCharsets.ISO_8859_1);
        output.write(ByteBuffer.allocate(headBytes.length + body.length).put(headBytes).put(body).array());
    }

    /** The headers of an answer, by their names in lower case. */
    private Map<String, String> readHeaders() throws IOException {
        readLine();
        Map<String, String> headers = new HashMap<>();
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(), line.substring(colon + 1).trim());
        }
        return headers;
    }

    private String readLine() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = input.read(); next != '\n'; next = input.read()) {
            if (next == -1) {
                throw new EOFException("The Runtime API has closed the connection.");
            }
            if (next != '\r') {
                line.append((char) next);
            }
        }
        return line.toString();
    }

    private byte[] readBody(Map<String, String> headers) throws IOException {
        return input.readNBytes(Integer.parseInt(headers.get("content-length")));
    }
}
