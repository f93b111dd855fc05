import { type ReactNode, useState } from "react";

/**
 * Details that open by themselves where something in them must be seen, until a person opens or
 * folds them: from then on they stay as that person left them.
 * @param props.isUrgent whether they are open while nobody has chosen
 */
export function Fold(props: {
  isUrgent: boolean;
  className?: string;
  summary: ReactNode;
  children: ReactNode;
}) {
  const { isUrgent, className, summary, children } = props;
  const [chosen, setChosen] = useState<boolean>();
  const isOpen = chosen ?? isUrgent;
  return (
    <details
      open={isOpen}
      className={className}
      onToggle={({ target, currentTarget }) => {
        // What we opened or closed ourselves is told here, too; and, in some browsers, of details within.
        if (target === currentTarget && currentTarget.open !== isOpen) {
          setChosen(currentTarget.open);
        }
      }}
    >
      {summary}
      {children}
    </details>
  );
}
