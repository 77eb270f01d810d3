// What is deployed where: an environment of deploy/envs, complete with the template's defaults, refused where it cannot work.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { didYouMean } from "../../src/nearest.ts";
import { root } from "../built.ts";

const ENVIRONMENTS = join(root, "deploy/envs");

export interface Environment {
  /** Also the end of the stack's name. */
  readonly name: string;
  /** All of function.yaml's but ImageUri. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** A parameter of a CloudFormation template, as far as it is checked here. */
export interface Parameter {
  readonly Default?: string | number;
  readonly AllowedValues?: readonly (string | number)[];
  readonly AllowedPattern?: string;
  readonly MinValue?: number;
  readonly MaxValue?: number;
  readonly Description?: string;
}

export function templateParameters(template: string): Record<string, Parameter> {
  const { Parameters } = Bun.YAML.parse(template) as { Parameters: Record<string, Parameter> };
  return Parameters;
}

/**
 * @param overrides `Name=value`, instead of what the file has
 * @throws {UsageError}
 */
export function readEnvironment(name: string, overrides: readonly string[] = []): Environment {
  const file = join(ENVIRONMENTS, `${name}.json`);
  if (!existsSync(file)) {
    const names = readdirSync(ENVIRONMENTS).map((one) => one.replace(/\.json$/, ""));
    throw new UsageError(
      `Cannot find deploy/envs/${name}.json.${didYouMean(name, names)} There are ${names.join(", ")}`,
    );
  }
  const { Parameters, Tags = {} } = JSON.parse(readFileSync(file, "utf8"));
  const given: Record<string, string> = {};
  for (const [key, value] of Object.entries(Parameters)) given[key] = String(value);
  for (const override of overrides) {
    const [, key, value] = /^(\w+)=(.*)$/s.exec(override) ?? [];
    if (key === undefined) throw new UsageError(`Cannot use --set ${override}: it is not Name=value`);
    given[key] = value!;
  }
  const template = templateParameters(readFileSync(join(root, "deploy/function.yaml"), "utf8"));
  return { name, parameters: complete(given, template, `deploy/envs/${name}.json`), tags: Tags };
}

/**
 * Every parameter of the template but ImageUri: where a stack is updated, CloudFormation keeps the old value of what is not given.
 * @throws {UsageError} for what CloudFormation would refuse after the image has been built and pushed.
 */
function complete(given: Record<string, string>, template: Record<string, Parameter>, file: string) {
  for (const name of Object.keys(given)) {
    if (template[name] === undefined || name === "ImageUri")
      throw new UsageError(
        `Cannot use ${file}: there is no parameter ${name}.${didYouMean(name, Object.keys(template))}`,
      );
  }
  const all: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(template)) {
    if (name === "ImageUri") continue;
    const value = given[name] ?? parameter.Default?.toString() ?? "";
    const state = faultOf(value, parameter);
    if (state !== undefined) {
      throw new UsageError(
        `Cannot use ${file}: ${name} ${state}. ${parameter.Description ?? ""}. Set it there, or give --set ${name}=…`,
      );
    }
    all[name] = value;
  }
  return all;
}

function faultOf(value: string, { AllowedValues, AllowedPattern, MinValue, MaxValue }: Parameter): string | undefined {
  if (AllowedValues && !AllowedValues.map(String).includes(value)) return `is none of ${AllowedValues.join(", ")}`;
  if (AllowedPattern && !new RegExp(`^(?:${AllowedPattern})$`).test(value))
    return value === "" ? "is not set" : `does not match ${AllowedPattern}`;
  if (MinValue !== undefined && !(Number(value) >= MinValue)) return `is below ${MinValue}`;
  if (MaxValue !== undefined && !(Number(value) <= MaxValue)) return `is above ${MaxValue}`;
  return undefined;
}

/**
 * What would deploy and then not work, or never end.
 * @throws {UsageError}
 */
export function refuseUnworkable({ parameters }: Environment): void {
  const { RawBucket, RawPrefix, OutputBucket, OutputPrefix, BackfillPrefix, QuarantinePrefix } = parameters;
  const trigger = `s3://${RawBucket}/${RawPrefix}`;
  for (const [name, prefix] of Object.entries({ OutputPrefix, BackfillPrefix, QuarantinePrefix })) {
    if (name === "QuarantinePrefix" && prefix === "") continue; // nothing is kept
    const output = `s3://${OutputBucket}/${prefix}`;
    if (output.startsWith(trigger))
      throw new UsageError(
        `Cannot deploy with output in ${output}: it lies below ${trigger}, whose new objects are events, so that each part would ` +
          `wake the function again. Set another ${name} or OutputBucket`,
      );
  }
  if (parameters.MetadataBucket === "" && parameters.ConfigFile === "")
    throw new UsageError(
      "Cannot deploy: neither MetadataBucket nor ConfigFile says what the raw dataset is. Set one of them",
    );
  const reserved = Number(parameters.ReservedConcurrency);
  if (reserved > 0 && Number(parameters.MaximumConcurrency) > reserved)
    throw new UsageError(
      "Cannot deploy: MaximumConcurrency is above ReservedConcurrency, so events would be thrown back",
    );
}
