import type { NextConfig } from "next";

// The Content-Security-Policy is not here: it carries a nonce for each request (proxy.ts).
const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=()" },
];

const config: NextConfig = {
  output: "standalone",
  outputFileTracingRoot: import.meta.dirname,
  // Images are not optimized, so the optimizer's native library stays out of the image.
  images: { unoptimized: true },
  outputFileTracingExcludes: {
    "*": ["node_modules/sharp/**", "node_modules/@img/**"],
  },
  // Compression would hold back streamed answers until the last byte.
  compress: false,
  poweredByHeader: false,
  reactStrictMode: true,
  // A build asks nobody for newer versions: it must work, and say the same, without a network.
  experimental: { agentUpgrade: false },
  headers: async () => [{ source: "/:path*", headers: securityHeaders }],
};

export default config;
