/** Where the libraries are once they are installed. */
export const muslOpenssl: { libssl: string; libcrypto: string };
export function installMuslOpenssl(log?: (text: string) => void): void;
