-- What a computed value is made of: an average of many days is the quotient of the sums, not the
-- mean of the days' averages.

alter table public.kpi_snapshots
  add column source text,
  add column numerator numeric(30, 6),
  add column denominator numeric(30, 6),
  add constraint kpi_snapshots_parts_whole
    check ((numerator is null) = (denominator is null)) not valid,
  add constraint kpi_snapshots_parts_numbers
    check (numerator <> 'NaN' and denominator <> 'NaN') not valid;

comment on column public.kpi_snapshots.source is
  'What computed the value; empty for a value recorded by hand.';
comment on column public.kpi_snapshots.numerator is
  'For a computed average: days are joined as the sum of numerators by the sum of denominators.';
comment on column public.kpi_snapshots.denominator is
  'The weight of the day; a value recorded by hand weighs 1.';
