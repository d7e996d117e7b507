"""What a partner can do about each refusal of the API, by its code, in HTML."""

ADVICE: dict[str, str] = {
    "already_reversed": "Nothing: all of the transaction was taken back before. Do not send the return again.",
    "category_exists": "Take another code.",
    "currency_mismatch": "Send amounts in the programme's currency, and its code in <code>currency</code>.",
    "evaluation_stale": "Evaluate the basket again and show the new points, or earn without <code>evaluation</code>. "
    "<code>difference</code> says what changed.",
    "file_refused": "Correct the file where the message points, and upload it again: nothing was read.",
    "file_unreadable": "Correct the file where the message points, and import it again: what is booked stays.",
    "gift_exists": "Take another code, or change the gift that has it.",
    "gift_not_available": "Show other gifts: <code>reasons</code> say why the member cannot have this one now.",
    "idempotency_key_missing": "Send an Idempotency-Key with every write: 1 to 255 printable ASCII characters, "
    "a new one for each thing you want done, the same one when you repeat it.",
    "idempotency_key_reused": "Take a new key for a new request. To repeat a request, send exactly the content "
    "it had the first time.",
    "illegal_transition": "Read the object's state: it is decided already, or this step does not follow from it.",
    "import_running": "Wait until the running import has finished.",
    "insufficient_points": "Ask for <code>available</code> points or fewer; "
    "<code>missing</code> says how many are lacking.",
    "insufficient_scope": "Ask the programme's staff to allow the scopes in <code>required_scopes</code> "
    "for your client, then get a new token with them.",
    "internal_error": "Send the same request again, with the same key. If it stays, tell us the <code>instance</code>: "
    "the cause is in our log under it.",
    "invalid_token": "Get a new token at /oauth/token and send it as <code>Authorization: Bearer</code>.",
    "limit_reached": "Nothing: the member had as many pieces as the gift allows. <code>limit</code>, "
    "<code>used</code> and <code>period</code> say which limit.",
    "malformed_request": "Send valid JSON in UTF-8: no NaN, no Infinity, no NUL, no name twice in an object.",
    "member_exists": "Choose another number, or change the member who has it with PATCH.",
    "member_not_active": "Stop: the member left the programme. Treat the basket as a guest's.",
    "method_not_allowed": "Use one of the methods in the Allow header.",
    "not_acceptable": "Accept application/json, or a media type that the operation documents.",
    "not_found": "Check the number, code or reference. What belongs to another programme is not found either.",
    "occurred_at_out_of_window": "Send the instant of the purchase, at most 5 minutes ahead of our clock and "
    "no older than the programme allows. Older receipts are imported by staff.",
    "orders_under_way": "End each of the <code>orders</code> first: deliver it, cancel it or take it back. Staff alone "
    "erase a person.",
    "out_of_stock": "Show other gifts, or try again later: pieces come back when reservations lapse.",
    "payload_too_large": "Split it: a body has at most 1 MiB.",
    "picture_refused": "Save it as PNG, JPEG or WebP, at most 10 MiB and 40 million pixels, "
    "with nothing else in the file.",
    "pool_refused": "Correct the rows that <code>errors</code> name and upload the file again.",
    "price_changed": "Show the price that holds now and ask again. Members alone order at a price, on their page.",
    "programme_frozen": "Open another programme: currency and time zone stay once something was booked.",
    "programme_not_active": "Stop: the programme is closed, or has no terms for that time.",
    "quantity_exceeds_remaining": "Read what is left of the transaction and return at most that.",
    "rate_limited": "Wait for the seconds in Retry-After. RateLimit says what is left, on every answer.",
    "reference_conflict": "The receipt or return is booked with other content: read it, and take a new "
    "reference if yours is another one.",
    "request_in_progress": "Wait for the seconds in Retry-After and send the same request again, same key.",
    "reservation_lapsed": "Order again: points and pieces were given back when the 15 minutes were over.",
    "second_person_required": "Let somebody else decide: nobody approves what they asked for.",
    "segment_is_dynamic": "Change the criteria in the back office, or pin the member: "
    '<code>"pin": true</code> with a reason.',
    "segment_exists": "Take another code.",
    "temporarily_unavailable": "Wait for the seconds in Retry-After and send the same request again, same key.",
    "unsupported_media_type": "Send <code>Content-Type: application/json</code>.",
    "validation_error": "Correct the fields in <code>errors</code>: each has a JSON pointer, a word and a sentence.",
    "voucher_not_usable": "Do not hand anything out. The answer is the same for codes that are unknown, used, expired "
    "or another programme's. Repeat your own use with the key it had.",
    "wording_changed": "Show the text that holds now and ask again. Members alone agree to a text, on their page.",
}
