// What `derive why` found, as a few lines and a table for people, and as JSON. Values come from pings: none of them may
// command the terminal.

import { Framer } from "../heka/frames.ts";
import { MessageDecoder, messageCheck, type RawMessage } from "../heka/message.ts";
import type { Asked } from "../pipeline/recorder.ts";
import type { Found } from "../pipeline/trace.ts";
import { exactJson } from "./json.ts";
import { jsonLine, textBlock } from "./messages.ts";
import type { Output } from "./output.ts";
import { cellText } from "./rows.ts";
import { cut, table, visible } from "./table.ts";
import { countText, plural } from "./units.ts";

/** What was held against what was written then; undefined where there is nothing to hold it against. */
export interface Checks {
  /** The raw object is the version that was read then. */
  readonly object?: boolean;
  /** It gives as many rows as then. */
  readonly rows?: boolean;
  /** The row is as it is stored. */
  readonly row?: boolean;
  /** Stream, schema and options are those of then. */
  readonly stream?: boolean;
}

export interface Answer {
  readonly object: string;
  readonly found: Found;
  readonly stream: string;
  /** The part and the row in it, where that was found. */
  readonly part?: string;
  readonly row?: number;
  /** Where no part was found, though the message became a row. */
  readonly searched?: string;
  /** The row, by column. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly checks: Checks;
}

export async function tellAnswer(answer: Answer, json: boolean, output: Output): Promise<void> {
  if (json) await output.write(`${answerJson(answer)}\n`);
  else await writeText(answer, output);
  await output.flush();
  for (const warning of warningsOf(answer)) output.log.warn(visible(warning));
}

function warningsOf({ checks, object, part, stream, searched }: Answer): string[] {
  const found: string[] = [];
  if (checks.object === false)
    found.push(
      `${object} has changed since ${part ?? "the partition"} was made from it: what is shown need not be what made the row`,
    );
  if (checks.rows === false && checks.object !== false)
    found.push(
      `${object} gives another number of rows now than when it was derived: stream ${stream} is another, or keeps something from one message to the next`,
    );
  if (checks.row === false)
    found.push(
      `the row in ${part} is not what stream ${stream} makes of this message now: the stream is another than made it, or keeps something from one message to the next`,
    );
  if (checks.stream === false) {
    const sure = checks.object && checks.rows && checks.row !== false;
    found.push(
      `stream ${stream}, or an option such as --only or --max-part-bytes, is not as it was when the partition was made` +
        `${sure ? "; the object and its number of rows are" : ""}`,
    );
  }
  if (searched !== undefined) found.push(`no partition below ${searched} was made from ${object}`);
  return found;
}

const CELL = 100;

async function writeText(answer: Answer, output: Output): Promise<void> {
  const { object, found, part, row, values } = answer;
  const { offset, length } = found;
  const lines: string[] = [];
  if (part !== undefined && row !== undefined) lines.push(`${part} row ${countText(row)}`);
  lines.push(`${object} offset ${offset} to ${offset + length} (${plural(length, "byte")}): ${fateText(found)}`);
  const said = checksText(answer.checks);
  if (said !== "") lines.push(said);
  await output.write(`${lines.map(visible).join("\n")}\n\n`);
  if (values) await output.write(`${columnTable(values, found, output)}\n`);
  const message = messageOf(found);
  if (message) await output.write(textBlock(message, visible(object), offset, output.paint));
}

function fateText({ fate, cause, row }: Found): string {
  if (fate === "written") return `row ${countText(row!)} of the object's own`;
  if (fate === "blank") return "blank, between frames";
  const words = {
    filtered: "left out by the stream",
    failed: "failed",
    undecodable: "undecodable",
    damaged: "damaged",
  };
  return `${words[fate]}: ${cause}`;
}

function checksText({ object, rows, row, stream }: Checks): string {
  const told: (readonly [boolean | undefined, string])[] = [
    [object, "the raw object is unchanged"],
    [rows, "it gives as many rows as then"],
    [row, "the row is as it is stored"],
    [stream, "stream and options are those of then"],
  ];
  return told.flatMap(([holds, words]) => (holds ? [words] : [])).join(" · ");
}

function columnTable(values: Readonly<Record<string, unknown>>, { influence }: Found, output: Output): string {
  const paths = new Map(influence?.columns.map(({ name, asked }) => [name, asked]));
  const rows = Object.entries(values).flatMap(([name, value]) => {
    const asked = (paths.get(name) ?? []).map(askedText);
    const first = [name, cut(cellText(value), CELL), asked[0] ?? ""];
    return [first, ...asked.slice(1).map((text) => ["", "", text])];
  });
  const columns = [{ name: "column" }, { name: "value" }, { name: "path behind it" }];
  const others = (influence?.others ?? []).map(askedText);
  const asked = others.length > 0 ? `asked for besides: ${others.map(visible).join(", ")}\n` : "";
  return table(columns, rows, output.width, output.paint).text + asked;
}

function askedText(asked: Asked): string {
  if (asked.as === "has") return `${asked.path} (whether it is there: ${asked.value ? "yes" : "no"})`;
  return "value" in asked ? `${asked.path} = ${cut(cellText(asked.value), CELL)}` : `${asked.path} (missing)`;
}

/** The message of a frame that was found: decoded here, since it may not cross from the stream's thread. */
function messageOf({ frame, fate }: Found): RawMessage | undefined {
  if (!frame || fate === "undecodable") return undefined;
  const framer = new Framer(messageCheck());
  framer.push(frame);
  framer.end();
  const span = framer.next();
  return span?.kind === "frame" ? new MessageDecoder().decode(span.message) : undefined;
}

function answerJson(answer: Answer): string {
  const { object, found, stream, part, row, values, checks } = answer;
  const { fate, offset, length, cause, path, influence } = found;
  const members: [string, string][] = [
    ["part", exactJson(part)],
    ["row", exactJson(row)],
    ["object", exactJson(object)],
    ["offset", exactJson(offset)],
    ["length", exactJson(length)],
    ["fate", exactJson(fate)],
    ["cause", exactJson(cause)],
    ["path", exactJson(path)],
    ["rowOfObject", exactJson(found.row)],
    ["stream", exactJson(stream)],
    ["checks", exactJson({ object: checks.object, rows: checks.rows, row: checks.row, stream: checks.stream })],
  ];
  if (values) {
    const columns = Object.entries(values).map(([name, value]) => {
      const paths = influence?.columns.find((column) => column.name === name)?.asked ?? [];
      return `${JSON.stringify(name)}:{"value":${exactJson(value)},"paths":${exactJson(paths)}}`;
    });
    members.push(["columns", `{${columns.join(",")}}`], ["asked", exactJson(influence?.others ?? [])]);
  }
  const message = messageOf(found);
  if (message) members.push(["message", [...jsonLine(message)].join("").trimEnd()]);
  return `{${members.map(([name, json]) => `"${name}":${json}`).join(",")}}`;
}
