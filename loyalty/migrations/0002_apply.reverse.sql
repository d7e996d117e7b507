DROP FUNCTION loyalty_apply(jsonb);
