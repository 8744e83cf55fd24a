#include "app/config/shipped.h"

#include "app/embedded/branch_2026_policy.h"
#include "app/embedded/microsoft_code_signing_pins.h"
#include "app/embedded/microsoft_update_tls_pins.h"
#include "app/embedded/observe_2026_policy.h"
#include "app/embedded/strict_2026_policy.h"

static const struct sp_shipped shipped[] = {
    {"strict-2026.policy", {strict_2026_policy, sizeof strict_2026_policy}},
    {"branch-2026.policy", {branch_2026_policy, sizeof branch_2026_policy}},
    {"observe-2026.policy", {observe_2026_policy, sizeof observe_2026_policy}},
    {"microsoft-code-signing.pins",
     {microsoft_code_signing_pins, sizeof microsoft_code_signing_pins}},
    {"microsoft-update-tls.pins",
     {microsoft_update_tls_pins, sizeof microsoft_update_tls_pins}},
};

const struct sp_shipped *sp_shipped(size_t *count)
{
    *count = sizeof shipped / sizeof shipped[0];
    return shipped;
}

struct sp_view sp_shipped_pins(void)
{
    return sp_view(microsoft_code_signing_pins, sizeof microsoft_code_signing_pins);
}

struct sp_view sp_shipped_tls_pins(struct sp_view set)
{
    return sp_view_eq_str(set, "microsoft-update-tls")
               ? sp_view(microsoft_update_tls_pins, sizeof microsoft_update_tls_pins)
               : (struct sp_view){0};
}
