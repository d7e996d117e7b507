"""What members of the demo read, in its three languages."""

VIP_NAMES = {"fr": "VIP Bruxelles", "nl-BE": "VIP Brussel", "en": "VIP Brussels"}
VIP_TEXTS = {
    "fr": "Vous étiez à l'ouverture de notre boutique de Bruxelles.",
    "nl-BE": "U was erbij toen onze winkel in Brussel openging.",
    "en": "You were there when our Brussels shop opened.",
}
PURPOSES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "newsletter": (
        {"fr": "Lettre du chocolat", "nl-BE": "Chocoladebrief", "en": "Chocolate letter"},
        {
            "fr": "Une fois par mois, par e-mail : nouveautés et offres de nos boutiques.",
            "nl-BE": "Eén keer per maand per e-mail: nieuws en aanbiedingen van onze winkels.",
            "en": "Once a month by e-mail: what is new in our shops, and offers.",
        },
    ),
    "tastes": (
        {"fr": "Offres à votre goût", "nl-BE": "Aanbiedingen naar uw smaak", "en": "Offers to your taste"},
        {
            "fr": "Nous regardons vos achats pour choisir les offres que nous vous montrons.",
            "nl-BE": "We kijken naar uw aankopen om te kiezen welke aanbiedingen we u tonen.",
            "en": "We look at what you bought to choose the offers that we show you.",
        },
    ),
}
"""What members are asked to agree to: names and texts by code."""

LETTER = (
    {"fr": "Lettre d'information", "nl-BE": "Nieuwsbrief", "en": "Newsletter"},
    {
        "fr": "Une fois par semaine, par e-mail : les offres de votre magasin.",
        "nl-BE": "Eén keer per week per e-mail: de aanbiedingen van uw winkel.",
        "en": "Once a week by e-mail: the offers of your shop.",
    },
)
"""What members of the sample's shop are asked to agree to."""
