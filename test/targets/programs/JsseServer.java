import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.net.InetSocketAddress;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** Answers each request with its own body: DIR has the key store, PORT comes from the environment. */
public class JsseServer {
    public static void main(String[] arguments) throws Exception {
        String store = System.getenv("DIR") + "/store.p12";
        char[] password = "matrix".toCharArray();
        Process made = new ProcessBuilder("openssl", "pkcs12", "-export", "-in", System.getenv("CERT"), "-inkey",
            System.getenv("KEY"), "-out", store, "-passout", "pass:matrix").inheritIO().start();
        made.waitFor();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(store)) {
            keys.load(file, password);
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), null, null);
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
