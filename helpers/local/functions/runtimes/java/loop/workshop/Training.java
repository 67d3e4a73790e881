package workshop;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * A run of the loop through a few events and to a regular end, so that the virtual machine can archive
 * the classes that it has loaded. The other end of the Runtime API is a thread of the same process.
 */
public final class Training {
    private static final String EVENT = "{\"number\": 1.5, \"items\": [\"a\", {}], \"order\": {}}";

    private Training() {}

    /** The arguments are the name of a handler, which ends the process at some event, and its directory. */
    public static void main(String[] arguments) throws Exception {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
        Thread platform = new Thread(new Platform(server));
        platform.setDaemon(true);
        platform.start();
        Main.run("127.0.0.1:" + server.getLocalPort(), arguments[0], arguments[1], "/opt");
    }

    private record Platform(ServerSocket server) implements Runnable {
        private static final String RESPONSE = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\n"
                + "Lambda-Runtime-Deadline-Ms: 0\r\nContent-Length: " + EVENT.length() + "\r\n\r\n" + EVENT;

        @Override
        public void run() {
            try (Socket socket = server.accept()) {
                InputStream input = socket.getInputStream();
                byte[] request = new byte[1024];
                while (input.read(request) > 0) {
                    socket.getOutputStream().write(RESPONSE.getBytes(StandardCharsets.ISO_8859_1));
                }
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }
    }
}
