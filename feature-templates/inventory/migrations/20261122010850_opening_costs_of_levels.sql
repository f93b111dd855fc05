-- The levels are given their opening averages. In the order in which everyone locks levels, and in
-- a file of its own: whoever moves stock meanwhile waits for one level, and never in a circle.

select count(*) as levels
from (
  select s.product_id
  from public.stock_levels s
  join public.stock_opening_costs o
    on o.product_id = s.product_id and o.location_id = s.location_id
  where s.average_cost is null and o.average_cost is not null
  order by s.product_id, s.location_id
  for update of s
) locked;

update public.stock_levels s
set average_cost = o.average_cost, cost_currency = o.currency
from public.stock_opening_costs o
where o.product_id = s.product_id and o.location_id = s.location_id
  and s.average_cost is null and o.average_cost is not null;
