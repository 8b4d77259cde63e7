import { bearerToken } from "./auth";
import { API_KEY, apiFetch } from "./http";
import type { AttachmentRow } from "./rows";

/** As the bucket `attachments` is set up; the server decides. */
export const ATTACHMENT_BYTES_MAX = 25 * 1024 * 1024;
const TRANSFER_TIMEOUT_MS = 10 * 60_000;
const NAME_CHARS_MAX = 100;

async function storage(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("apikey", API_KEY);
  const token = await bearerToken();
  if (token) headers.set("authorization", `Bearer ${token}`);
  return apiFetch(`${location.origin}/storage/v1/${path}`, { ...init, headers }, TRANSFER_TIMEOUT_MS);
}

function encoded(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

/** The name under which it is stored; the one that people see goes beside it. */
function storedName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^\.+/, "_").slice(-NAME_CHARS_MAX) || "file";
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** Puts the file into the ticket's folder; the server makes the attachment and the ticket's event of it. */
export async function attachFile(customerId: string, ticketId: string, file: File): Promise<string> {
  const folder = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const name = `${customerId}/tickets/${ticketId}/${folder}/${storedName(file.name)}`;
  await storage(`object/attachments/${encoded(name)}`, {
    method: "POST",
    headers: { "content-type": file.type || "application/octet-stream", "x-metadata": base64(JSON.stringify({ file_name: file.name })) },
    body: file,
  });
  return `Attached ${file.name}.`;
}

/** For following at once; longer than a click needs. */
const LINK_SECONDS = 60;

/** An address for one file that carries its own right for a minute; `as` is the name under which it is saved. */
export async function documentLink(objectName: string, as: string): Promise<string> {
  const answer = await storage(`object/sign/documents/${encoded(objectName)}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ expiresIn: LINK_SECONDS }),
  });
  const body: unknown = await answer.json();
  const signed = typeof body === "object" && body !== null && "signedURL" in body && typeof body.signedURL === "string" ? body.signedURL : "";
  return `${location.origin}/storage/v1${signed}&download=${encodeURIComponent(as)}`;
}

export async function attachmentContent(row: AttachmentRow): Promise<Blob> {
  return (await storage(`object/${row.bucket}/${encoded(row.name)}`)).blob();
}
