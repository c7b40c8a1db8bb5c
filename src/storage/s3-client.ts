import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

import { S3Client } from '@aws-sdk/client-s3';

const connections = 16;

export interface S3Options {
  readonly bucket: string;
  /** Without a slash at its end; empty for the whole bucket. */
  readonly prefix?: string | undefined;
  /** Absent: the environment's or profile's; with an endpoint, `us-east-1`. */
  readonly region?: string | undefined;
  /** For stores other than AWS: `https://host:port`. */
  readonly endpoint?: string | undefined;
  /** Bucket in the path instead of the host name. Default: with an endpoint. */
  readonly forcePathStyle?: boolean | undefined;
  /** Absent: the SDK's own chain, that is environment, profile, the machine's role. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  /** Sends a CRC32 with each object. Only for stores that refuse the header: false. */
  readonly checksum?: boolean | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Longest time in which no byte moves in either direction. */
  readonly noProgressMs?: number | undefined;
  /** Longest time for one whole request, waiting for a connection included. */
  readonly requestTimeoutMs?: number | undefined;
}

/** A client that tries once, never warns on the console, and adds no checksum work of its own. */
export function createClient(options: S3Options): S3Client {
  const { endpoint } = options;
  const region = options.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  return new S3Client({
    maxAttempts: 1,
    forcePathStyle: options.forcePathStyle ?? endpoint !== undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it, the SDK opens a connection of its own for every large object.
    expectContinueHeader: false,
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: requestHandler(options),
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...credentialsOf(options),
  });
}

function requestHandler({ connectTimeoutMs = 5000, noProgressMs = 30_000 }: S3Options) {
  return {
    connectionTimeout: connectTimeoutMs,
    socketTimeout: noProgressMs,
    httpAgent: new HttpAgent({ keepAlive: true, maxSockets: connections }),
    httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: connections }),
  };
}

function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: S3Options) {
  if (accessKeyId === undefined || secretAccessKey === undefined) return {};
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) } };
}
