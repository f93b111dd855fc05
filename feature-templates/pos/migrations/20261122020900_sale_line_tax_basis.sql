-- Prices with and without tax may meet in one sale, and its receipt says which is which.
alter table public.sale_lines add column price_includes_tax boolean;

comment on column public.sale_lines.price_includes_tax is
  'Whether the unit price holds the tax. Empty on lines sold before version 1.1.0.';
