/** The drawings, by Recharts. Loaded when a page that has a chart is open in a browser. */
import { useNavigate } from "@remix-run/react";
import type { ReactNode } from "react";
import {
  Bar,
  BarChart,
  CartesianGrid,
  Cell,
  LabelList,
  type LabelProps,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import type { DayFlow, WeekPromises } from "#app/domain/reports/index.server.ts";
import { completed, received } from "../dashboard/links.ts";
import { useNow } from "../time.tsx";
import { formatDay, formatStretch, weekNumber } from "./dates.ts";
import { percentOf, reaches } from "./shares.ts";

const INK = "var(--color-base-content)";
const PAPER = "var(--color-base-100)";
const QUIET = "var(--color-secondary)";
const HAIR = "var(--color-base-300)";
const ARRIVED = "var(--color-secondary)";
const DONE = "var(--color-success)";
const BROKEN = "var(--color-error)";

const margin = { top: 16, right: 4, bottom: 0, left: 0 };
const axis = { tickLine: false, axisLine: { stroke: HAIR }, tick: { fill: QUIET, fontSize: 11 } };
/** It follows the pointer or the arrow keys; nothing of it moves by itself. */
const hover = { isAnimationActive: false, cursor: { fill: HAIR, opacity: 0.5 } };

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="rounded-box border border-base-300 bg-base-100 px-3 py-2 text-xs shadow-lg">
      <p className="font-medium">{title}</p>
      {children}
    </div>
  );
}

/** Arrivals beside completions, of each day. A bar opens its list. */
export function FlowPlot({ days }: { days: readonly DayFlow[] }) {
  const navigate = useNavigate();
  const bar = { isAnimationActive: false, className: "cursor-pointer", radius: 1 };
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart
        data={[...days]}
        margin={margin}
        barGap={1}
        barCategoryGap="15%"
        title="Arrivals and completions per day"
      >
        <CartesianGrid vertical={false} stroke={HAIR} />
        <XAxis dataKey="from" tickFormatter={formatDay} minTickGap={24} {...axis} />
        <YAxis width={32} allowDecimals={false} {...axis} axisLine={false} />
        <Tooltip content={FlowCard} {...hover} />
        <Bar
          {...bar}
          dataKey="arrived"
          fill={ARRIVED}
          onClick={(_, index) => days[index] && navigate(received(days[index]))}
        />
        <Bar
          {...bar}
          dataKey="completed"
          fill={DONE}
          onClick={(_, index) => days[index] && navigate(completed(days[index]))}
        />
      </BarChart>
    </ResponsiveContainer>
  );
}

function FlowCard({ active, payload }: TooltipContentProps) {
  const day = payload[0]?.payload as DayFlow | undefined;
  if (!active || !day) return null;
  return (
    <Card title={formatDay(day.from)}>
      <p>{day.arrived} arrived</p>
      <p>{day.completed} completed</p>
    </Card>
  );
}

/** The share of each week's completed requests that kept their promise. A bar opens its list. */
export function AttainmentPlot(props: { weeks: readonly WeekPromises[]; target: number }) {
  const { weeks, target } = props;
  const now = useNow();
  const navigate = useNavigate();
  // A week without completions has no share: no bar, rather than one of zero.
  const points = weeks.map((week) => ({
    ...week,
    name: `W${weekNumber(week.from)}`,
    share: week.completed === 0 ? null : percentOf(week.kept, week.completed),
    isOpen: now !== null && Date.parse(week.to) > now,
  }));
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart
        data={points}
        margin={margin}
        barCategoryGap="25%"
        title="Share of completed requests that kept their promise, per week"
      >
        <CartesianGrid vertical={false} stroke={HAIR} />
        <XAxis dataKey="name" minTickGap={4} {...axis} />
        <YAxis
          width={52}
          domain={[0, 100]}
          ticks={[0, 25, 50, 75, 100]}
          tickFormatter={(share: number) => `${share} %`}
          {...axis}
          axisLine={false}
        />
        <Tooltip content={AttainmentCard} {...hover} />
        <Bar
          dataKey="share"
          isAnimationActive={false}
          className="cursor-pointer"
          radius={[2, 2, 0, 0]}
          maxBarSize={40}
          onClick={(_, index) => weeks[index] && navigate(completed(weeks[index]))}
        >
          {points.map((week) => (
            <Cell
              key={week.from}
              {...(week.isOpen
                ? { fill: HAIR, stroke: QUIET, strokeDasharray: "3 2" }
                : { fill: reaches(week.kept, week.completed, target) ? DONE : BROKEN })}
            />
          ))}
          <LabelList dataKey="share" content={shareLabel(points)} />
        </Bar>
        <ReferenceLine y={target * 100} stroke={INK} strokeDasharray="4 3" />
      </BarChart>
    </ResponsiveContainer>
  );
}

/** The narrowest bar that a share of three digits fits into, in pixels. */
const ROOM_FOR_LABEL = 18;

/** The share, within its bar; nothing where the bar is too narrow for it. */
const shareLabel =
  (points: readonly { isOpen: boolean }[]) =>
  ({ x, y, width, height, value, index }: LabelProps) => {
    if (Number(width) < ROOM_FOR_LABEL || Number(height) < 14 || value == null) return null;
    return (
      <text
        x={Number(x) + Number(width) / 2}
        y={Number(y) + Number(height) - 6}
        textAnchor="middle"
        fontSize={11}
        fill={points[index ?? -1]?.isOpen ? INK : PAPER}
      >
        {value}
      </text>
    );
  };

function AttainmentCard({ active, payload }: TooltipContentProps) {
  const week = payload[0]?.payload as (WeekPromises & { isOpen: boolean }) | undefined;
  if (!active || !week) return null;
  return (
    <Card title={`${formatStretch(week)}${week.isOpen ? ", so far" : ""}`}>
      <p>
        {week.kept} of {week.completed} kept their promise
      </p>
    </Card>
  );
}
