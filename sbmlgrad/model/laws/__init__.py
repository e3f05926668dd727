"""From a kinetic law to propensities: which ways a reaction fires, and that no rate is negative.

`directions` is what `model.channels` calls. It asks what is known of the symbols (`known_values`),
whether a law is >= 0 (`intervals`, `falling_factorials`, `upper_bounds`) and how it is split
(`signs`, `one_signed`, `vanishing`). Laws are first put into a form in which that shows
(`collected`, `falling_products`); in counts: `falling_in_counts`, `mass_action`, `whole_change`.
"""
