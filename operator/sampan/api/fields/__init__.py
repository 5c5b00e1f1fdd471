"""Parts that several kinds are made of: scalars, amounts, selectors, templates, conditions."""
