import type { StaffRole } from "#app/domain/identity/index.server.ts";
import { Field } from "../form.tsx";
import { RadioCards } from "../radio-cards.tsx";

const ROLES: { value: StaffRole; title: string; description: string }[] = [
  {
    value: "admin",
    title: "Admin",
    description: "Works requests: claims them, prepares and builds backends.",
  },
  {
    value: "operator",
    title: "Operator",
    description: "The same, and manages the staff.",
  },
  {
    value: "supervisor",
    title: "Supervisor",
    description: "The same, and changes priorities, gives back others’ claims, switches templates.",
  },
];

/** What somebody may do. `whyNot`: why it cannot be changed. */
export function RoleField(props: { value: string; error?: string[]; whyNot?: string }) {
  const { value, error, whyNot } = props;
  return (
    <RadioCards
      legend="Role"
      name="role"
      value={value}
      error={error}
      options={ROLES.map((role) => ({
        ...role,
        disabled: whyNot !== undefined && role.value !== value,
        ...(whyNot !== undefined && role.value === value ? { note: whyNot } : {}),
      }))}
    />
  );
}

/** How much somebody carries. */
export function CapacityField(props: { value: string; most: number; error?: string[] }) {
  return (
    <Field
      label="Capacity"
      name="capacity"
      type="number"
      inputMode="numeric"
      min={0}
      max={props.most}
      required
      hint="How many open requests this person can carry at once. The dashboard measures their load against it."
      defaultValue={props.value}
      error={props.error}
      className="max-w-32"
    />
  );
}
