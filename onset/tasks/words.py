"""The word lists of the generated tasks. All names of the fictional world are invented."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    """Ada Ali Amy Ana Ben Bo Carla Chen Cora Dan Dina Eli Emma Eva Finn Fred Gina Greta Hana Hugo Ida Igor Ivy Jack
    Jana Jin Karl Kate Kim Lara Leo Lila Luis Maja Marc Mia Milo Nadia Nina Noah Nora Omar Otto Pam Paul Petra Ray
    Rita Rosa Sam Sara Sven Tara Theo Tom Uma Vera Vic Yara Zoe"""
)

THINGS = _words(
    """apples badges balls beads bells books bottles boxes buttons candles cards chairs coins cups eggs envelopes
    feathers flags hats keys lamps lemons magnets maps marbles medals mugs nails oranges pears pebbles pencils pins
    plates postcards posters ribbons ropes seeds shells spoons stamps stickers tickets tiles tokens towels tulips"""
)

# Eight words for each last letter that common English words end in, so that no letter is a good guess.
LAST_LETTER_WORDS = _words(
    """banana camera drama idea opera panda sofa villa
    bulb climb club crab lamb proverb shrub verb
    basic comic fabric garlic magic music picnic topic
    bird cloud field gold island road sand world
    apple bridge candle eagle grape house juice table
    chef cliff golf leaf proof reef scarf wolf
    bag evening frog king morning ring song wing
    beach brush earth fish month north path tooth
    alibi bikini chili kiwi macaroni safari ski taxi
    attack book brick clock desk milk rock silk
    animal bell camel hotel jewel metal pencil wheel
    album arm bottom dream farm helium storm team
    button corn garden lemon lion onion pen train
    avocado echo hero piano potato radio tomato zero
    cap drop jump lamp map ship soap step
    actor doctor door floor flower letter river winter
    bus canvas cross glass grass lens moss virus
    boat carpet forest fruit goat light night rabbit
    bayou caribou emu flu gnu haiku menu tofu
    arrow bow cow elbow pillow rainbow snow window
    box fox index matrix prefix six suffix wax
    baby city country honey key lady money valley
    blitz buzz chintz fizz jazz quartz quiz waltz"""
)

PEOPLE = _words(
    """Abrel Ashkin Belvar Brimo Caddis Corvane Dalmi Dorrek Elzo Emmerin Fanwick Feyra Garrun Gilspa Hadrel Hosk
    Ilvane Imbry Jastor Jorel Kelmin Korvath Lanit Lusko Marrick Mirel Nadrin Nostra Obrek Olwin Pallio Pryden Quarl
    Quessa Ravik Rondel Sabrin Selko Tamsik Tolan Ulric Umbra Vasko Verrin Wendrik Wolla Xandro Xerel Yarvis Yolnir
    Zaffre Zelkin Arvoss Bexley Drummo Fyrstin Havrel Kestro Morvane Thessin"""
)

TOWNS = _words(
    """Aldermoot Barrowick Brackenby Castelwyn Copperhithe Dunmarrow Eastfell Emberstow Fallowmere Fernleigh
    Gallowby Glimmerton Harrowgate Hollowfen Inkbury Ironholm Jasperwick Juniper Kettleford Kingsmoor Larkhaven
    Lowbridge Maplethorn Mistbury Nettleham Northmere Oakhollow Oxmarsh Pebblewick Pinecross Quillbury Rookhaven
    Rustford Saltmere Silverby Thornwick Underhill Vinecombe Wetherby Yewford"""
)

PROVINCES = _words(
    """Abelland Ardovia Bellmark Cestria Corrundia Dravonia Eldermark Estovar Farrundel Galdria Hestonia Illmark
    Jorvandia Kaldria Lurania Marvolia Nethermark Norrundel Ostravia Palmeria Quorland Ruvonia Sarmark Selvandia
    Tarrundia Torvia Ulmark Vandoria Westrundel Xandria Yorland Zelmark"""
)

RIVERS = _words(
    """Alvash Birrin Calder Cressa Dunnow Ebbin Esk Farrow Gelt Harn Issel Jarrow Kenda Lodden Lyre Marn Nidd Orwen
    Ousen Pellow Quay Rill Senna Sollow Tarn Tessin Umber Velda Wharn Xarn Yarrin Zillow"""
)
