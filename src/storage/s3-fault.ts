// What S3 or the way to it said, in our words. Texts of the SDK and of servers are never passed on: they may hold signed
// URLs, keys of credentials, or anything a server sends (P12).

/** What is known of a request that failed. */
export interface Fault {
  /** Of the answer; undefined when none came. */
  readonly status: number | undefined;
  /** "NoSuchKey", "ECONNRESET", "TimeoutError"; letters, digits and "_" only. */
  readonly code: string;
  /** For people: the state, and what to do. */
  readonly state: string;
  /** Whether a write may have taken place all the same: no answer came, or not at the first attempt. */
  readonly inDoubt: boolean;
}

/** An answer that came whole as far as HTTP goes, without what it has to hold. */
export class UnreadableAnswer extends Error {
  override name = "UnreadableAnswer";
}

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly statusCode?: number };
}

/** @param permission what the request takes, "s3:GetObject": told where access is denied */
export function faultOf(error: unknown, permission: string): Fault {
  const { name, code: systemCode, Code, $metadata, $response } = error as SdkError;
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  const code = plain(Code) ?? plain(systemCode) ?? plain(name) ?? "unknown";
  const attempts = $metadata?.attempts ?? 1;
  return {
    status,
    code,
    state: stateOf(status, code, permission),
    inDoubt: attempts > 1 || status === undefined || status < 300 || status >= 500,
  };
}

/** Not whatever a server writes there. */
function plain(name: string | undefined): string | undefined {
  return typeof name === "string" && /^[A-Za-z][\w.]{0,60}$/.test(name) && name !== "Error" ? name : undefined;
}

const STATES: Record<string, string> = {
  NoSuchBucket: "the bucket does not exist",
  NoSuchUpload: "its upload was ended by someone else. Run the command again",
  CredentialsProviderError:
    "no AWS credentials were found. Set AWS_PROFILE or --profile to a profile that ~/.aws has, or AWS_ACCESS_KEY_ID and " +
    "AWS_SECRET_ACCESS_KEY; for public buckets give --no-sign-request",
  TokenProviderError: "the session of this profile has ended. Log in again (aws sso login)",
  ExpiredToken: "the credentials have expired. Renew them",
  InvalidToken: "the session token is not valid. Renew the credentials",
  InvalidAccessKeyId: "the store does not know this access key. Check AWS_PROFILE or AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch:
    "the signature is not accepted. Check the secret key, and that region and endpoint belong to it",
  RequestTimeTooSkewed: "the clock of this machine is wrong. Set it",
  PermanentRedirect: "the bucket lies in another region. Give --region",
  AuthorizationHeaderMalformed: "the bucket lies in another region. Give --region",
  IllegalLocationConstraintException: "the bucket lies in another region. Give --region",
  InvalidObjectState: "it is archived. Restore it first",
  UnreadableAnswer: "the answers of the store were cut off or damaged",
  TimeoutError: "the store gave no answer in time",
  ETIMEDOUT: "the store gave no answer in time",
  ENOTFOUND: "the name of its host is not known. Check --endpoint-url, --region and the bucket's name",
  ERR_INVALID_URL: "the endpoint is no URL. Write it as http://host:port, in --endpoint-url or AWS_ENDPOINT_URL_S3",
  EAI_AGAIN: "the name of its host could not be looked up. Check the network",
  ECONNREFUSED: "its host refuses connections. Check --endpoint-url",
  ECONNRESET: "the connection was cut, again and again",
  AbortError: "the request was ended",
};

function stateOf(status: number | undefined, code: string, permission: string): string {
  const known = Object.hasOwn(STATES, code) ? STATES[code] : undefined;
  if (known) return known;
  if (status === 404) return "it does not exist";
  if (status === 401 || status === 403) return `access is denied. It takes the permission ${permission}`;
  if (status !== undefined && status < 300) return STATES.UnreadableAnswer!;
  if (status === undefined) return `no connection to its host (${code})`;
  return `the store answered ${status} ${code}${status >= 500 ? ", again and again. Run the command again later" : ""}`;
}

/** Whether an answer came that is not to be made sense of: the SDK does not try again then. */
export function isUnreadable(error: unknown): boolean {
  if (error instanceof UnreadableAnswer || error instanceof SyntaxError) return true;
  const { $metadata, $response } = error as SdkError;
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  return status !== undefined && status < 300;
}
