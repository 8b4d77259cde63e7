import { describe, expect, it } from "vitest";
import { statusOf, billingTicketStates } from "@/kit/status";
import { billingTickets } from "./columns";

describe("billing tickets", () => {
  it("are those that nobody called closed, of the customer that is chosen", () => {
    expect(billingTickets.where).toEqual([{ column: "state", op: "in", values: ["open", "unknown"] }]);
    expect(billingTickets.scopeColumn).toBe("customer_id");
  });
  it("show what, since when and how fresh", () =>
    expect(billingTickets.columns.map((column) => column.label)).toEqual(expect.arrayContaining(["Ticket", "State", "Opened", "Freshness"])));
  it("are not guessed to be open", () => expect(statusOf(billingTicketStates, "unknown").label).toBe("Not told"));
  it("lead nowhere: they are answered in Rev.io", () => expect(billingTickets.path).toBeNull());
});
