-- berth: transaction=none
-- No two variants of a product have the same options. It also serves the foreign key, and finds
-- the variants of a parent.
create unique index concurrently products_variant_options_key
  on public.products (parent_id, options);
