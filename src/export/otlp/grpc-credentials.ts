import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { OtlpTarget } from "./otlp-settings.ts";
import type { TlsMaterial } from "./tls-files.ts";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/** What a channel is secured with. */
export function channelCredentials(target: OtlpTarget, material: TlsMaterial): ChannelCredentials {
  if (!target.secure) return credentials.createInsecure();
  const { ca, cert, key } = material;
  const secure = credentials.createSsl(ca ?? null, key ?? null, cert ?? null);
  const host = new URL(`https://${target.address}`).hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? secure : withoutServerName(secure, host, material);
}

/** grpc-js gives the host as the server's name even where it is an address, which TLS does not allow: Node 26 throws. */
function withoutServerName(
  secure: ChannelCredentials,
  host: string,
  material: TlsMaterial,
): ChannelCredentials {
  const create = secure._createSecureConnector.bind(secure);
  secure._createSecureConnector = (...options): SecureConnector => {
    const connector = create(...options);
    return {
      connect: async (socket) => ({ socket: await connected(socket, host, material), secure: true }),
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  };
  return secure;
}

function connected(socket: Socket, host: string, material: TlsMaterial): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connect({ ...material, socket, host, ALPNProtocols: ["h2"] }, () => resolve(secure));
    secure.on("error", reject);
  });
}
