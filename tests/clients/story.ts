/** A partner's story with the types of `openapi-typescript` and the client `openapi-fetch`. */

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./evidence.js";

type Schemas = components["schemas"];
// Answers have several formats; these are those of this client.
type Json = "application/json" | "application/problem+json";
type Service = Client<paths, Json>;

// --- sign in ---

export async function signIn(address: string, id: string, secret: string): Promise<Service> {
  const { data, error } = await createClient<paths, Json>({ baseUrl: address }).POST("/v1/token", {
    body: { grant_type: "client_credentials" },
    bodySerializer: (body) => new URLSearchParams(body),
    headers: { Authorization: `Basic ${btoa(`${id}:${secret}`)}`, "Content-Type": "application/x-www-form-urlencoded" },
  });
  if (!data) throw error;
  return createClient<paths, Json>({ baseUrl: address, headers: { Authorization: `Bearer ${data.access_token}` } });
}

// --- send ---

const partners: Schemas["AllowedSubmitted"] = {
  content: "full",
  identity: "withheld",
  place: "county",
  date: "year",
  purposes: ["research"],
};

function testimony(number: number, place: string, date: string): Schemas["TestimonySubmitted"] {
  return {
    disclosure_basis: "consent",
    witness: { form: "unnamed" },
    recorded_by: "example-ngo",
    consent: {
      obtained_by: "An interviewer",
      obtained_on: "2025-03-01",
      form: "written",
      language: "ko",
      recontact: false,
      audiences: { partner: partners },
    },
    date,
    places: [place],
    note: { en: `Sheet ${number} at ${place}` },
  };
}

/** Send one record; sent again with the same key, it is done once. */
async function send(service: Service, number: number, place: string): Promise<string> {
  const { data, error } = await service.POST("/v1/testimonies", {
    params: { header: { "Idempotency-Key": `${place}-${number}` } },
    body: testimony(number, place, `${2000 + number}-05`),
  });
  if (!data) throw error;
  return written(data).id;
}

/** Of what is answered with and without `dry_run`, that without. */
function written<T extends object>(data: T): Exclude<T, { dry_run: true }> {
  if ("dry_run" in data) throw new Error("nothing was written");
  return data as Exclude<T, { dry_run: true }>;
}

// --- read ---

/** The ids of a filtered list, page by page: `next` has the cursor of the page that follows. */
async function* pages(service: Service, filters: paths["/v1/testimonies"]["get"]["parameters"]["query"]) {
  let cursor: string | undefined;
  do {
    const { data, error } = await service.GET("/v1/testimonies", {
      params: { query: { ...filters, limit: 3, cursor } },
    });
    if (!data) throw error;
    yield data.items.map((item) => item.id);
    cursor = data.next ? (new URL(data.next).searchParams.get("cursor") ?? undefined) : undefined;
  } while (cursor);
}

// --- keep a copy ---

/** Bring a copy up to date; return the place to go on from next time, and what happened. */
async function follow(service: Service, after: string, copy: Map<string, unknown>): Promise<[string, string[]]> {
  const happened: string[] = [];
  for (;;) {
    const { data, error } = await service.GET("/v1/changes", {
      params: { query: { after, include: "record", limit: 4 } },
    });
    if (!data) throw error;
    for (const change of data.items) {
      happened.push(change.change);
      if (change.change === "removed" || !change.record) copy.delete(change.url);
      else copy.set(change.url, change.record);
    }
    after = new URL(data.next).searchParams.get("after") ?? after;
    if (!data.more) return [after, happened];
  }
}

// --- change, and be told what stands against it ---

async function revise(service: Service, place: string) {
  const made = await service.POST("/v1/testimonies", { body: testimony(7, place, "2007") });
  if (!made.data) throw made.error;
  const { id } = written(made.data);
  const change = {
    params: { path: { id }, header: { "If-Match": made.response.headers.get("ETag") ?? "" } },
    body: { date: "2008-06" },
    headers: { "Content-Type": "application/merge-patch+json" },
  };
  const changed = await service.PATCH("/v1/testimonies/{id}", change);
  if (!changed.data) throw changed.error;
  const stale = await service.PATCH("/v1/testimonies/{id}", change);
  const wrong = await service.POST("/v1/testimonies", { body: testimony(8, place, "2007-13") });
  return {
    revision: written(changed.data).revision,
    stale: stale.error?.type,
    wrong: wrong.error?.status,
    faults: wrong.error?.errors?.map((fault) => [fault.pointer, fault.detail]),
  };
}

// --- end ---

/** A witness withdraws: no further use. And a place that was entered twice is taken back. */
async function end(service: Service, id: string, place: string) {
  const ended = await service.POST("/v1/testimonies/{id}/withdrawal", {
    params: { path: { id } },
    body: { reason: "The witness asked." },
  });
  const twice = await service.POST("/v1/places", { body: { name: { en: "A county" }, type: "county", id: place } });
  const gone = await service.DELETE("/v1/places/{id}", {
    params: { path: { id: place }, header: { "If-Match": twice.response.headers.get("ETag") ?? "" } },
    body: { reason: "Entered twice." },
  });
  return { state: ended.data?.state, retracted: gone.response.status };
}

export async function story(address: string, id: string, secret: string, place: string) {
  const service = await signIn(address, id, secret);
  const me = await service.GET("/v1/me");
  const copy = new Map<string, unknown>();
  await service.POST("/v1/places", { body: { name: { en: "A county" }, type: "county", id: place } });
  let [after] = await follow(service, "start", copy);
  const before = copy.size;
  const changes: string[][] = [];
  async function told() {
    const [next, happened] = await follow(service, after, copy);
    after = next;
    changes.push(happened);
  }
  const ids: string[] = [];
  for (let number = 0; number < 7; number++) ids.push(await send(service, number, place));
  const once = (await send(service, 0, place)) === ids[0];
  await told();
  const read: number[][] = [];
  for await (const page of pages(service, { place: [place], from: "2002", sort: "date" }))
    read.push(page.map((one) => ids.indexOf(one)));
  const revised = await revise(service, place);
  await told();
  const ended = await end(service, ids[0] ?? "", `${place}-twice`);
  await told();
  const left: number[] = [];
  for await (const page of pages(service, { place: [place] })) left.push(page.length);
  return { me: me.data?.organisation, once, pages: read, ...revised, ...ended, changes, left, copy: copy.size - before };
}
