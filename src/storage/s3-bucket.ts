// A place on S3: its bucket, its prefix, and the requests that reading and writing share.
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { compareKeys, folderPrefix } from "./keys.ts";
import type { Listed, S3Options } from "./ports.ts";
import { type Client, connect, send } from "./s3-client.ts";
import { faultOf, UnreadableAnswer } from "./s3-fault.ts";
import { type Answer, unquoted } from "./s3-fetch.ts";
import { Line } from "./s3-line.ts";
import { PATIENCE, type Patience, pause } from "./s3-patience.ts";
import { plainPattern } from "./s3-plain.ts";
import { askQuickly, Fetched, type Pattern } from "./s3-quick.ts";

export type PlaceError = new (message: string) => Error;

export interface Level {
  /** Names of folders. */
  readonly folders: string[];
  readonly objects: Listed[];
}

/** How often a removal is tried while others are at work on its key. */
const CONFLICTS = 6;

/** Bytes of an object: from `start` to `end`, or to the object's. */
export interface Range {
  readonly start: number;
  readonly end?: number;
}

export class Bucket {
  readonly url: string;
  readonly root: string;
  /** What every request says besides. */
  readonly payer: { RequestPayer?: "requester" };
  readonly line = new Line();
  /** Until the first request for an object has an answer: others wait, and are made after the pattern of one that succeeds. */
  #first: Promise<unknown> | undefined;
  #plain: Promise<Pattern | undefined> | undefined;

  /** @param PlaceError the class of its errors: InputError for reading, OutputError for writing */
  constructor(
    readonly name: string,
    prefix: string,
    readonly options: S3Options,
    readonly PlaceError: PlaceError,
    readonly patience?: Patience,
  ) {
    this.root = folderPrefix(prefix);
    this.url = `s3://${name}/${this.root}`;
    this.payer = options.requestPayer ? { RequestPayer: "requester" } : {};
  }

  urlOf(key: string): string {
    return this.url + key;
  }

  at(key: string): { Bucket: string; Key: string; RequestPayer?: "requester" } {
    return { Bucket: this.name, Key: this.root + key, ...this.payer };
  }

  connection(): Promise<Client> {
    return connect(this.options, this.patience).client();
  }

  /** Loads what reading takes. */
  async prepare(): Promise<void> {
    if (!(await this.#pattern())) await this.connection();
  }

  /** How its objects are asked for: as the SDK showed; before it did, where that can be told without. */
  async #pattern(): Promise<Pattern | undefined> {
    const { settings, patterns } = connect(this.options, this.patience);
    this.#plain ??= settings.then((settings) => plainPattern(this.name, settings, this.options));
    return patterns.get(this.name) ?? this.#plain;
  }

  /** An error about one key: "Cannot read s3://bucket/key: access is denied. It takes the permission s3:GetObject". */
  failed(action: string, key: string, error: unknown, permission: string): Error {
    if (error instanceof this.PlaceError) return error;
    return new this.PlaceError(`Cannot ${action} ${this.urlOf(key)}: ${faultOf(error, permission).state}`);
  }

  /** The facts of one object, undefined where there is none. The SDK's errors. */
  async ask(key: string, signal?: AbortSignal): Promise<HeadObjectCommandOutput | undefined> {
    const { sdk, client } = await this.connection();
    try {
      const command = () => client.send(new sdk.HeadObjectCommand(this.at(key)), { abortSignal: signal });
      return await send(command, ({ ContentLength, ETag }) => ContentLength !== undefined && ETag !== undefined);
    } catch (error) {
      const { status, code } = faultOf(error, "");
      if (status === 404 && code !== "NoSuchBucket") return undefined;
      throw error;
    }
  }

  async head(key: string): Promise<Listed | undefined> {
    // What consoles leave for a folder made by hand is none of our objects.
    if (key === "" || key.endsWith("/")) return undefined;
    try {
      const { facts } = await this.get("HEAD", key, undefined, { start: 0 });
      if (facts.ContentLength === undefined) throw new UnreadableAnswer();
      return { key, size: facts.ContentLength, etag: unquoted(facts.ETag)! };
    } catch (error) {
      const { status, code } = faultOf(error, "");
      if (status === 404 && code !== "NoSuchBucket") return undefined;
      throw this.failed("read", key, error, "s3:GetObject");
    }
  }

  /** One object, or its bytes from `start` to `end`; by HEAD what is known of it. The SDK's errors. */
  get(
    method: "GET" | "HEAD",
    key: string,
    etag: string | undefined,
    range: Range,
    signal?: AbortSignal,
  ): Promise<Answer> {
    if (this.#first) return this.#first.then(() => this.#get(method, key, etag, range, signal));
    const first = this.#get(method, key, etag, range, signal);
    this.#first = first.then(
      () => {},
      () => {},
    );
    return first;
  }

  async #get(
    method: "GET" | "HEAD",
    key: string,
    etag: string | undefined,
    { start, end }: Range,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const Range = start > 0 || end !== undefined ? `bytes=${start}-${end === undefined ? "" : end - 1}` : undefined;
    const IfMatch = etag === undefined ? undefined : `"${etag}"`;
    const pattern = await this.#pattern();
    if (pattern) {
      const headers = { range: Range, "if-match": IfMatch };
      const answer = await askQuickly(pattern, method, this.root + key, headers, this.patience ?? PATIENCE, signal);
      if (answer) return answer;
    }
    const { sdk, client } = await this.connection();
    const Command = method === "GET" ? sdk.GetObjectCommand : sdk.HeadObjectCommand;
    return send(async () => {
      const options = { abortSignal: signal, fetched: new Fetched() };
      await client.send(new Command({ ...this.at(key), IfMatch, Range }), options);
      const answer = options.fetched.answer!;
      if (answer.facts.ETag !== undefined) return answer;
      answer.body.discard();
      throw new UnreadableAnswer();
    });
  }

  /** Removes what lies at a key, if anything does. The SDK's errors. */
  async remove(key: string, IfMatch?: string): Promise<void> {
    const { sdk, client } = await this.connection();
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(async () => {
          const { $metadata } = await client.send(new sdk.DeleteObjectCommand({ ...this.at(key), IfMatch }));
          // Any other success may be the page of something in between.
          if ($metadata.httpStatusCode !== 204 && (await this.ask(key))) throw new UnreadableAnswer();
        });
      } catch (error) {
        const { status, code } = faultOf(error, "");
        // Removed already, by an attempt whose answer was lost or by others.
        if (status === 404 && code !== "NoSuchBucket") return;
        // Another request for this key is under way.
        if (status !== 409 || attempt === CONFLICTS) throw error;
      }
      await pause(attempt);
    }
  }

  async *list(prefix: string): AsyncIterable<Listed> {
    for await (const { objects } of this.pages(folderPrefix(prefix), undefined)) yield* objects;
  }

  async folders(prefix: string): Promise<Level> {
    const level: Level = { folders: [], objects: [] };
    for await (const { folders, objects } of this.pages(folderPrefix(prefix), "/")) {
      level.folders.push(...folders);
      level.objects.push(...objects);
    }
    return level;
  }

  private async *pages(prefix: string, delimiter: "/" | undefined): AsyncIterable<Level> {
    let token: string | undefined;
    let last: string | undefined;
    do {
      const { page, next } = await this.page(prefix, delimiter, token);
      for (const { key } of page.objects) {
        // A page that comes twice would make rows twice.
        if (last !== undefined && compareKeys(last, key) >= 0) throw this.disordered(prefix);
        last = key;
      }
      yield page;
      if (next !== undefined && next === token) throw this.disordered(prefix);
      token = next;
    } while (token !== undefined);
  }

  private disordered(prefix: string): Error {
    return new this.PlaceError(`Cannot list ${this.urlOf(prefix)}: the store lists its keys twice or out of order`);
  }

  private async page(prefix: string, delimiter: "/" | undefined, token: string | undefined) {
    try {
      const { sdk, client } = await this.connection();
      const input = {
        Bucket: this.name,
        Prefix: this.root + prefix,
        Delimiter: delimiter,
        ContinuationToken: token,
        // Without it keys with control characters would be no XML.
        EncodingType: "url" as const,
        ...this.payer,
      };
      return await send(async () => {
        const answer = await client.send(new sdk.ListObjectsV2Command(input));
        const { IsTruncated, KeyCount, NextContinuationToken, Contents = [], CommonPrefixes = [] } = answer;
        // An answer cut short may still be well-formed enough for the SDK: it would be a listing with objects missing.
        if (IsTruncated === undefined || (IsTruncated && !NextContinuationToken)) throw new UnreadableAnswer();
        if (KeyCount !== undefined && KeyCount !== Contents.length + CommonPrefixes.length)
          throw new UnreadableAnswer();
        const keyOf = (written: string | undefined): string => {
          const key = answer.EncodingType === "url" ? decoded(written) : written;
          if (!key?.startsWith(input.Prefix)) throw new UnreadableAnswer();
          return key.slice(this.root.length);
        };
        const objects = Contents.map(({ Key, Size, ETag }): Listed => {
          // An ETag goes into headers.
          if (Size === undefined || !/^[\x20-\x7e]+$/.test(ETag ?? "")) throw new UnreadableAnswer();
          return { key: keyOf(Key), size: Size, etag: unquoted(ETag)! };
        });
        const folders = CommonPrefixes.map(({ Prefix }) => keyOf(Prefix).slice(prefix.length, -1));
        return { page: { folders, objects }, next: IsTruncated ? NextContinuationToken : undefined };
      });
    } catch (error) {
      throw this.failed("list", prefix, error, "s3:ListBucket");
    }
  }
}

/** S3 writes a space as "+". */
function decoded(written: string | undefined): string | undefined {
  try {
    return written && decodeURIComponent(written.replaceAll("+", " "));
  } catch {
    throw new UnreadableAnswer();
  }
}
