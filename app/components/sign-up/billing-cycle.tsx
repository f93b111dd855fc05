import { Beside } from "../form.tsx";

const CYCLES = [
  { value: "monthly", label: "Monthly" },
  { value: "yearly", label: "Yearly −15 %" },
];

/** How a customer pays: two halves of one switch. */
export function BillingCycle({ value, error }: { value?: string; error?: string[] }) {
  return (
    <fieldset className="mb-5" aria-describedby={error ? "billingCycle-error" : undefined}>
      <legend className="mb-1 font-semibold">How you pay</legend>
      <Beside id="billingCycle" error={error} />
      <div className="mt-1.5 flex flex-wrap gap-2">
        {CYCLES.map((cycle, index) => (
          <label
            key={cycle.value}
            className="flex min-h-10 cursor-pointer items-center gap-2 rounded-field border border-secondary px-4 has-checked:border-primary has-checked:bg-base-200"
          >
            <input
              type="radio"
              id={index === 0 ? "billingCycle" : `billingCycle-${cycle.value}`}
              name="billingCycle"
              value={cycle.value}
              defaultChecked={cycle.value === value}
              className="radio radio-sm border-secondary checked:border-primary checked:text-primary"
            />
            <span className="tabular-nums">{cycle.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
