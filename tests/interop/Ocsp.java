/*
 * Validate a certification path with Java's PKIX CertPathValidator, the
 * certificate's revocation status taken from OCSP alone:
 *
 *     java Ocsp.java ROOT [ISSUER] CERTIFICATE RESPONSE|URL
 *
 * RESPONSE is a file; from a URL Java fetches it by itself.
 *
 * Exit status 0: valid; 1: not, and why; 2: a wrong call.
 */
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

public class Ocsp {
	private static X509Certificate certificate(CertificateFactory factory,
	    String name) throws Exception {
		try (InputStream in = new FileInputStream(name)) {
			return (X509Certificate)factory.generateCertificate(in);
		}
	}

	public static void main(String[] args) throws Exception {
		CertificateFactory factory =
		    CertificateFactory.getInstance("X.509");
		CertPathValidator validator =
		    CertPathValidator.getInstance("PKIX");
		PKIXRevocationChecker checker =
		    (PKIXRevocationChecker)validator.getRevocationChecker();
		List<X509Certificate> path = new ArrayList<>();

		if (args.length < 3) {
			System.err.println(
			    "usage: Ocsp ROOT [ISSUER] CERTIFICATE RESPONSE|URL");
			System.exit(2);
		}
		for (int i = args.length - 2; i > 0; i--)
			path.add(certificate(factory, args[i]));
		String source = args[args.length - 1];
		/* OCSP or nothing, for each certificate below the root. */
		checker.setOptions(EnumSet.of(Option.NO_FALLBACK));
		if (source.startsWith("http:"))
			checker.setOcspResponder(new URI(source));
		else
			checker.setOcspResponses(Map.of(path.get(0),
			    Files.readAllBytes(Path.of(source))));
		PKIXParameters parameters = new PKIXParameters(Set.of(
		    new TrustAnchor(certificate(factory, args[0]), null)));
		parameters.addCertPathChecker(checker);
		try {
			validator.validate(
			    factory.generateCertPath(path), parameters);
		} catch (CertPathValidatorException e) {
			System.out.println("not valid: " + e.getMessage());
			System.exit(1);
		}
		System.out.println("valid");
	}
}
