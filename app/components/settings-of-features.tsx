import type { ToldAnswers } from "#app/domain/onboarding/index.server.ts";
import { Folded } from "./folded.tsx";
import { Facts } from "./ui.tsx";

/** What was answered to the questions of each feature. */
export function SettingsOfFeatures({ settings }: { settings: ToldAnswers[] }) {
  return (
    <div className="grid gap-4">
      {settings.map(({ template, title, answers }) => (
        <div key={template}>
          <h3 className="mb-2 font-medium">{title}</h3>
          <Facts
            aligned
            items={answers.map((one) => [
              one.title,
              one.answer === "" ? (
                <span key={one.name} className="text-quiet">
                  Left empty
                </span>
              ) : (
                <bdi key={one.name}>{one.answer}</bdi>
              ),
            ])}
          />
        </div>
      ))}
    </div>
  );
}

/** The same folded; nothing where nothing was asked. */
export function FoldedSettings(props: { title: string; settings: ToldAnswers[] }) {
  const { title, settings } = props;
  if (settings.length === 0) return null;
  return (
    <Folded title={title}>
      <SettingsOfFeatures settings={settings} />
    </Folded>
  );
}
