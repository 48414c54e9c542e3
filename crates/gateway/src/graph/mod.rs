//! What every call of the Graph API has in common: paths, tokens, parameters, projections, errors.
