-- The averages of what was recorded before averages were kept, while people work on: nothing is
-- locked here. The file that changes how movements are written holds them up for a moment, and puts
-- right what has come meanwhile.

-- What came in, once more, in the order of its id, with the costs of transfers carried along. Costs
-- in other currencies than the company's say nothing.
create function private.open_costs(p_product_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  home text := (select s.currency from public.company_settings s);
  movement record;
  current_product uuid;
  -- Of one product: {location: average}.
  averages jsonb := '{}';
  origin text;
  cost private.cost;
begin
  delete from public.stock_opening_costs o where o.product_id = any (p_product_ids);
  -- Counted before it is read: what comes in between is seen to be missing here, never the reverse.
  insert into public.stock_opening_costs (product_id, location_id, up_to_movement, movements)
  select m.product_id, m.location_id, max(m.id), count(*)
  from public.stock_movements m
  where m.product_id = any (p_product_ids)
  group by m.product_id, m.location_id;

  for movement in
    select r.*
    from (
      select m.id, m.product_id, m.location_id::text as location, m.kind, m.quantity, m.source_id,
        case when m.currency = home then m.unit_cost end as unit_cost,
        sum(m.quantity) over (partition by m.product_id, m.location_id order by m.id)
          - m.quantity as before_quantity
      from public.stock_movements m
      where m.product_id = any (p_product_ids)
    ) r
    where r.quantity > 0 and (r.unit_cost is not null or r.kind = 'transfer_in')
    order by r.product_id, r.id
  loop
    if movement.product_id is distinct from current_product then
      perform private.record_opening_costs(current_product, averages, home);
      current_product := movement.product_id;
      averages := '{}';
    end if;
    if movement.unit_cost is null then
      select o.location_id::text into origin from public.stock_movements o
      where o.source_id = movement.source_id and o.kind = 'transfer_out';
      movement.unit_cost := (averages ->> origin)::numeric;
    end if;
    if movement.unit_cost is not null then
      cost.average := (averages ->> movement.location)::numeric;
      cost.currency := case when cost.average is not null then home end;
      cost := private.next_cost(
        movement.before_quantity, cost, movement.quantity, movement.unit_cost, home
      );
      averages := averages || jsonb_build_object(movement.location, cost.average);
    end if;
  end loop;
  perform private.record_opening_costs(current_product, averages, home);
end;
$$;

revoke all on function private.open_costs(uuid[]) from public, anon, authenticated, service_role;

create function private.record_opening_costs(p_product_id uuid, p_averages jsonb, p_currency text)
returns void
language sql
set search_path = ''
as $$
  update public.stock_opening_costs o
  set average_cost = a.average::numeric, currency = p_currency
  from jsonb_each_text(p_averages) a (location_id, average)
  where o.product_id = p_product_id and o.location_id = a.location_id::uuid;
$$;

revoke all on function private.record_opening_costs(uuid, jsonb, text)
  from public, anon, authenticated, service_role;

select private.open_costs(array(select p.id from public.products p));
