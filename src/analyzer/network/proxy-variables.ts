// How programs are asked to use an HTTP proxy, where the kernel cannot send their connections to it.

/**
 * @param environment what is to be added to it already: the JVM's options are extended
 * @returns variables that curl, Python, Go, Ruby, git, Deno, Bun and Node (24 or later) honour for https, and the JVM's
 */
export function proxyVariables(port: number, environment: Record<string, string>): Record<string, string> {
  const proxy = `http://127.0.0.1:${port}`;
  const java = [
    environment.JAVA_TOOL_OPTIONS ?? "",
    "-Dhttps.proxyHost=127.0.0.1",
    `-Dhttps.proxyPort=${port}`,
    "-Dhttp.nonProxyHosts=", // else its own host would go direct
  ];
  return {
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    // Else servers that it names would be reached past us. A proxy of the user's own goes by it still (own-proxy.ts).
    NO_PROXY: "",
    no_proxy: "",
    NODE_USE_ENV_PROXY: "1",
    JAVA_TOOL_OPTIONS: java.filter((option) => option !== "").join(" "),
  };
}
