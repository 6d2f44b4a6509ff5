// The provider form as a value: what is typed, what is wrong with it, and the draft it makes.
import type { LocalServer, Provider, ProviderDraft, WireApi } from "../../protocol";

/** What the form holds. */
export interface ProviderForm {
  /** Absent for a new provider. */
  readonly id: string | undefined;
  readonly name: string;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly wireApi: WireApi;
  readonly model: string;
}

/** A field that something is wrong with. */
export type FormProblem = "urlMissing" | "urlBroken" | "urlScheme" | "keyInUrl" | "modelMissing" | "keySpaces";

/** An empty form. */
export const NEW_PROVIDER: ProviderForm = { id: undefined, name: "", baseUrl: "", apiKey: "", wireApi: "responses", model: "" };

/** The form for a provider that is there. Its key is never shown, only replaced. */
export function fromProvider(provider: Provider, model: string): ProviderForm {
  return { id: provider.id, name: provider.name, baseUrl: provider.baseUrl, apiKey: "", wireApi: provider.wireApi, model };
}

/** The form for a server that was found on this machine. */
export function fromServer(server: LocalServer): ProviderForm {
  return { ...NEW_PROVIDER, name: server.name, baseUrl: server.baseUrl, wireApi: server.wireApi, model: server.models[0]?.id ?? "" };
}

/** What is wrong with the address, if anything. */
export function urlProblem(baseUrl: string): FormProblem | undefined {
  const typed = baseUrl.trim();
  if (typed === "") return "urlMissing";
  let url: URL;
  try {
    url = new URL(typed);
  } catch {
    return "urlBroken";
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return "urlScheme";
  if (url.hostname === "") return "urlBroken";
  if (url.username !== "" || url.password !== "") return "keyInUrl";
  return undefined;
}

/** What is wrong with the form before it can be tested or saved. */
export function problems(form: ProviderForm, purpose: "test" | "save"): Partial<Record<keyof ProviderForm, FormProblem>> {
  const found: Partial<Record<keyof ProviderForm, FormProblem>> = {};
  const url = urlProblem(form.baseUrl);
  if (url !== undefined) found.baseUrl = url;
  if (/\s/.test(form.apiKey.trim())) found.apiKey = "keySpaces";
  // A test without a model still lists the models; saving needs one, or the provider could not be used.
  if (purpose === "save" && form.model.trim() === "") found.model = "modelMissing";
  return found;
}

/** What goes to the engine. */
export function draft(form: ProviderForm): ProviderDraft {
  const apiKey = form.apiKey.trim();
  const model = form.model.trim();
  return {
    ...(form.id === undefined ? {} : { id: form.id }),
    name: form.name.trim() === "" ? nameFrom(form.baseUrl) : form.name.trim(),
    baseUrl: form.baseUrl.trim(),
    wireApi: form.wireApi,
    ...(apiKey === "" ? {} : { apiKey }),
    ...(model === "" ? {} : { model }),
  };
}

/** A name for a provider that was given none: its host, without what says nothing. */
export function nameFrom(baseUrl: string): string {
  try {
    const url = new URL(baseUrl.trim());
    if (url.hostname === "localhost" || url.hostname === "127.0.0.1" || url.hostname === "[::1]") return url.host;
    return url.hostname.replace(/^(api|www)\./, "");
  } catch {
    return "";
  }
}

/** Whether the test's answer belongs to what the form holds now. */
export function sameConnection(a: ProviderForm, b: ProviderForm): boolean {
  return a.baseUrl.trim() === b.baseUrl.trim() && a.apiKey === b.apiKey && a.wireApi === b.wireApi && a.model.trim() === b.model.trim();
}
