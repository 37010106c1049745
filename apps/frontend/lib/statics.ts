import { lookup } from "node:dns/promises";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";
import { setTimeout } from "node:timers/promises";

import { log } from "@/lib/log";

/**
 * The scripts and styles of other builds. While a new build is rolled out, a page of one is answered by a pod of the
 * other when it asks for them, and a tab stays open longer than the pods that it came from. So each pod fetches from the
 * others what they have and it has not: when it starts, and when it is asked for something that it does not know.
 */
const DIRECTORY = ".next/cache/static";
const OWN = ".next/static";
const MOST_BYTES = 24 * 1024 * 1024;
const PEER_MS = 5_000;
/** Who asks for what nobody has makes no pod ask the others more often than this. */
const AGAIN_MS = 1_000;
const NAME = /^[\w~@()[\]-][\w.~@()[\]-]*(\/[\w~@()[\]-][\w.~@()[\]-]*)*$/;
const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".js": "application/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** The files of one pod: of its own build, and of others. */
export type Files = { build: string; own: string[]; others: string[] };

/** Returns the names of the files below a directory, as they are in addresses; none where there is no directory. */
async function below(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

/** Returns what this pod has. */
export async function files(): Promise<Files> {
  const build = await readFile(".next/BUILD_ID", "utf8").catch(() => "");
  return { build, own: await below(OWN), others: (await below(DIRECTORY)).filter(isStatic) };
}

const isStatic = (name: string) => NAME.test(name) && extname(name) in TYPES;

let own: Promise<Set<string>> | undefined;

/** Tells whether a file is of this build, and so Next.js's to answer. */
export async function isOwn(name: string): Promise<boolean> {
  own ??= below(OWN).then((names) => new Set(names));
  const names = await own;
  if (names.size === 0) own = undefined; // it could not be read just now
  return names.has(name);
}

/** Returns a file of another build with its headers, or nothing. */
export async function ofAnotherBuild(name: string): Promise<Response | undefined> {
  if (!isStatic(name)) return undefined;
  const read = () => readFile(join(DIRECTORY, name)).catch(() => undefined);
  let content = await read();
  if (!content) {
    await fetchFromPeers();
    content = await read();
  }
  if (!content) return undefined;
  const headers = { "content-type": TYPES[extname(name)] ?? "", "cache-control": "public, max-age=31536000, immutable" };
  return new Response(new Uint8Array(content), { headers });
}

let fetching: Promise<void> | undefined;
let fetched = 0;

/** Has what the other pods have. It does what it can in time, and says what it could not. */
export async function fetchFromPeers(): Promise<void> {
  const { PEERS } = process.env;
  if (!PEERS) return;
  fetching ??= setTimeout(Math.max(0, fetched + AGAIN_MS - Date.now()))
    .then(() => fetchAll(new URL(PEERS)))
    .finally(() => {
      fetched = Date.now();
      fetching = undefined;
    });
  await fetching;
}

async function fetchAll(peers: URL): Promise<void> {
  const signal = AbortSignal.timeout(PEER_MS);
  try {
    const mine = await files();
    const known = new Set([...mine.own, ...mine.others]);
    const found = await lookup(peers.hostname, { all: true });
    const origins = found.map(({ address, family }) => `http://${family === 6 ? `[${address}]` : address}:${peers.port}`);
    await Promise.all(origins.map((origin) => fetchFrom(origin, mine.build, known, signal)));
  } catch (error) {
    log("error", "other pods cannot be found", { cause: (error as { code?: string }).code ?? (error as Error).name });
  }
}

async function fetchFrom(origin: string, build: string, known: Set<string>, signal: AbortSignal): Promise<void> {
  const get = async (path: string) => {
    const response = await fetch(origin + path, { signal, cache: "no-store", redirect: "error" });
    if (!response.ok) throw new Error(`${path} answers ${response.status}`);
    return response;
  };
  try {
    const theirs = (await (await get("/health/files")).json()) as Files;
    // Of a pod of another build not what it has of third ones: the last two are kept, not all that ever were.
    const offered = theirs.build === build ? theirs.others : theirs.own;
    const missing = offered.filter((name) => isStatic(name) && !known.has(name));
    missing.forEach((name) => known.add(name));
    await Promise.all(missing.map(async (name) => keep(name, await (await get(`/_next/static/${name}`)).arrayBuffer())));
  } catch (error) {
    // One that starts or stops does not answer; one of an older version has no such list.
    log("info", "files of a pod cannot be had", { cause: (error as Error).message });
  }
}

let kept = 0;

async function keep(name: string, content: ArrayBuffer): Promise<void> {
  if (kept + content.byteLength > MOST_BYTES) throw new Error(`there is no room for ${name}`);
  kept += content.byteLength;
  const path = join(DIRECTORY, name);
  const coming = `${path}.${crypto.randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(coming, new Uint8Array(content));
  await rename(coming, path);
}
