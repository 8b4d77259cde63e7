const forms = new Map<string, Intl.NumberFormat>();

/** "$1,240.00". The sign stands before the currency; a currency that the browser does not know keeps its letters. */
export function money(amount: number | string, currency: string): string {
  let form = forms.get(currency);
  if (!form) {
    form = new Intl.NumberFormat("en-US", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    forms.set(currency, form);
  }
  return form.format(Number(amount));
}

/** "12", "2.5": a quantity without the zeros that the database keeps. */
export function quantity(value: number | string): string {
  return new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 }).format(Number(value));
}

const months = new Intl.DateTimeFormat("en-US", { month: "long", year: "numeric", timeZone: "UTC" });

/** "October 2026" of its first day, "2026-10-01". */
export function monthName(firstDay: string): string {
  return months.format(new Date(`${firstDay}T00:00:00Z`));
}

/** First days of the `count` months that ended last, newest first. */
export function endedMonths(now: number, count: number): string[] {
  const today = new Date(now);
  return Array.from({ length: count }, (_, back) => new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 1 - back, 1)).toISOString().slice(0, 10));
}
