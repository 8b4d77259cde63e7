import { describe, expect, test } from "vitest";
import { connectForms, credentialsOf, missing } from "./connect";

const form = connectForms.ninjaone!;
const machine = { client_id: " a ", client_secret: "b" };

describe("the form of NinjaOne", () => {
  test("an app for people is its id and its secret, or nothing", () => {
    expect(missing(form, { client_id: "a" })).toBe("Fill in “Client secret”.");
    expect(missing(form, machine)).toBeNull();
    expect(missing(form, { ...machine, "people.client_id": "c" })).toBe("Fill in “Client secret for people” as well, or neither.");
    expect(missing(form, { ...machine, "people.client_secret": "d" })).toBe("Fill in “Client id for people” as well, or neither.");
    expect(missing(form, { ...machine, "people.client_id": "c", "people.client_secret": "d" })).toBeNull();
  });

  test("its credentials are the function's input", () => {
    expect(credentialsOf("ninjaone", form, machine)).toEqual({ vendor: "ninjaone", client_id: "a", client_secret: "b" });
    const both = { ...machine, "people.client_id": "c", "people.client_secret": "d" };
    expect(credentialsOf("ninjaone", form, both)).toEqual({ vendor: "ninjaone", client_id: "a", client_secret: "b", people: { client_id: "c", client_secret: "d" } });
  });
});
