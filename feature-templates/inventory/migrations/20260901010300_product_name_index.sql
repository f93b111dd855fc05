-- berth: transaction=none
-- Search by the beginning of a name. Built concurrently, so that adding it to a company that
-- already sells does not stop its tills.
create index concurrently products_name_prefix_idx
  on public.products (lower(name) text_pattern_ops);
