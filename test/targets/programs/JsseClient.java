import java.io.FileInputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** One POST by Java's own TLS: URL, BODY and CA come from the environment. */
public class JsseClient {
    public static void main(String[] arguments) throws Exception {
        HttpsURLConnection connection = (HttpsURLConnection) new URL(System.getenv("URL")).openConnection();
        // What it is told to trust by JAVA_TOOL_OPTIONS, its classes do already.
        if (System.getProperty("javax.net.ssl.trustStore") == null) {
            connection.setSSLSocketFactory(trusting().getSocketFactory());
        }
        connection.setDoOutput(true);
        connection.getOutputStream().write(System.getenv("BODY").getBytes(StandardCharsets.UTF_8));
        connection.getInputStream().readAllBytes();
    }

    private static SSLContext trusting() throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        try (FileInputStream file = new FileInputStream(System.getenv("CA"))) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }
}
