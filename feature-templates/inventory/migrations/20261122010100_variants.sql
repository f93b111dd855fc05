-- Variants: a product that comes in sizes or colours is a parent, and each of its variants is a
-- product of its own with its options. What is filled is checked later, in a file of its own, so
-- that nobody waits for it.

alter table public.products
  add column parent_id uuid,
  add column options jsonb,
  add constraint products_parent_id_fkey foreign key (parent_id)
    references public.products (id) on delete restrict not valid,
  add constraint products_not_own_parent check (parent_id <> id) not valid,
  add constraint products_variant_has_options check (
    (parent_id is null) = (options is null)
  ) not valid,
  -- Names and values are short texts. A case, since a path asked of no object has no answer.
  add constraint products_options_form check (
    case when jsonb_typeof(options) = 'object' then
      options <> '{}'
      and not jsonb_path_exists(
        options,
        'strict $.* ? (@.type() != "string" || !(@ like_regex "^\\S(.{0,58}\\S)?$"))'
      )
      and not jsonb_path_exists(
        options,
        '$.keyvalue() ? (!(@.key like_regex "^\\S(.{0,38}\\S)?$"))'
      )
      and length(options::text) <= 1000
    else options is null end
  ) not valid;

comment on column public.products.parent_id is
  'For a variant: the product that it is a variant of. A parent carries no stock itself.';
comment on column public.products.options is
  'For a variant: what sets it apart, e.g. {"size": "M", "colour": "red"}.';

-- A trigger before a row acts before row-level security judges the row, and what it refuses would
-- tell a stranger what there is. So this one asks first, once per statement. What a function does
-- with its owner's rights was judged by that function.
create function private.require_caller_role() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if current_user = 'authenticated'
    and not private.has_role(tg_argv[0]::public.member_role)
  then
    raise exception 'This needs the role % or above', tg_argv[0]
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end;
$$;

comment on function private.require_caller_role() is
  'Trigger for any table; its one argument is the least role that may write.';

revoke all on function private.require_caller_role()
  from public, anon, authenticated, service_role;

create trigger products_require_manager before insert on public.products
  for each statement execute function private.require_caller_role('manager');

create function private.check_variant() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  parent record;
begin
  -- Locked against every movement, which holds its product: either it or we come first.
  select p.parent_id into parent
  from public.products p
  where p.id = new.parent_id
  for update;

  if parent.parent_id is not null
    or exists (select from public.products v where v.parent_id = new.id)
  then
    raise exception 'A variant has no variants of its own'
      using errcode = 'check_violation', constraint = 'products_no_variants_of_variants';
  end if;
  perform private.require_unused(
    new.parent_id, 'it cannot get variants', 'products_parent_without_stock'
  );
  return new;
end;
$$;

revoke all on function private.check_variant() from public, anon, authenticated, service_role;

create trigger products_check_variant before insert or update of parent_id on public.products
  for each row when (new.parent_id is not null)
  execute function private.check_variant();
