"""Word lists of the shifts of domain: first names and things, those that problems tell of and others in their place.

The names told of are the more frequent ones of word problems for school; names that are also words, months, cities or
states (May, Will, Rose, Austin) are left out, since they could not be told from these. In the place of a name stands
one of the same gender, so that pronouns stay right, and in the place of a thing one of the same sort.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WOMEN = _words(
    """Abby Abigail Ada Adriana Alice Alicia Alison Allison Alyssa Amanda Amelia Amy Ana Andrea Angela Angie Anita Ann
    Anna Anne Annie Ashley Barbara Becky Bella Beth Betty Brenda Brittany Camila Candice Carla Carmen Carol Caroline
    Carrie Cassandra Catherine Cathy Cecilia Chloe Christina Christine Cindy Claire Clara Cora Cynthia Daisy Dana
    Danielle Deborah Debbie Diana Diane Dina Dora Dorothy Eliza Elizabeth Ella Ellen Ellie Emily Emma Erica Erin
    Eva Eve
    Evelyn Fiona Gina Gloria Greta Gwen Hailey Hana Hannah Heather Heidi Helen Holly Ida Irene Isabel Isabella Jackie
    Jana Jane Janet Janice Jasmine Jen Jenna Jennifer Jenny Jessica Jill Joan Joanna Josephine Joyce Judy Julia Julie
    Karen Kate Katherine Kathy Katie Katy Kayla Kelly Kimberly Kristen Kylie Lara Laura Lauren Leah Lena Leslie Lila
    Lilian Lily Linda Lisa Liz Lola Lori Lucia Lucy Lydia Lynn Maggie Maja Mandy Mara Margaret Maria Marie Marilyn
    Martha Mary Megan Melanie Melissa Mia Michelle Miranda Molly Monica Nadia Nadine Nancy Natalia Natalie Nicole Nina
    Nora Olivia Pam Pamela Patricia Paula Petra Rachel Rebecca Rita Rosa Roxanne Ruth Samantha Sandra Sara Sarah
    Shannon
    Sheila Sofia Sonia Sophia Sophie Stacy Stella Stephanie Susan Susie Suzanne Sylvia Tanya Tara Tiffany Tina Toula
    Uma Valerie Vanessa Vera Veronica Vicky Victoria Wendy Yara Yolanda Zoe"""
)
MEN = _words(
    """Aaron Adam Adrian Al Alan Albert Alex Alexander Alfred Ali Allen Andrew Andy Anthony Antonio Arnold Arthur Ben
    Benjamin Benny Bernard Billy Bob Bobby Boris Brad Brandon Brian Bruce Bryan Caleb Calvin Carl Carlos Carter Cedric
    Charles Charlie Chen Chris Christopher Colin Craig Dan Daniel Danny Darren Dave David Dean Dennis Derek Diego
    Dominic Don Donald Doug Douglas Dylan Earl Ed Eddie Edgar Edward Eli Elijah Elliot Eric Erik Ethan Eugene
    Evan Felix
    Fernando Finn Francis Frankie Fred Freddy Gabriel Gary Gavin George Gerald Gilbert Gordon Greg Gregory
    Harold Harry
    Harvey Hector Henry Herbert Howard Hugo Ian Igor Isaac Ivan Jacob Jaime Jake James Jared Jason Javier Jeff Jeffrey
    Jeremy Jerry Jesse Jim Jimmy Joe Joel John Johnny Jon Jonathan Jorge Jose Joseph Josh Joshua Juan Julian Julius
    Justin Karl Keith Ken Kenneth Kenny Kevin Kyle Lance Larry Leo Leon Leonard Lewis Liam Lionel Lloyd Logan Louis
    Lucas Luis Luke Malcolm Marc Marcel Marco Marcus Mario Martin Marvin Matt Matthew Max Michael Mike Miguel
    Mitch Milo
    Mohamed Nathan Ned Neil Nicholas Nick Noah Norman Oliver Omar Oscar Otto Owen Pablo Patrick Paul Pedro Perry Pete
    Peter Philip Phillip Rafael Ralph Ramon Randy Ray Raymond Ricardo Richard Rick Ricky Rob Robert Roberto
    Rodney Roger
    Ron Ronald Ronnie Ross Roy Russell Ryan Sam Samuel Scott Sean Seth Simon Stan Stanley Stephen Steve Steven Stuart
    Sven Ted Terrence Theo Theodore Thomas Tim Timothy Toby Todd Tom Tommy Tony Travis Trevor Troy Tyler Victor Vince
    Vincent Walter Wayne William Xavier Zach Zachary"""
)
EITHER = _words("""Abe Bea Bo Cal Cid Dee Eun Fay Flo Gil Gus Hal Ivy Jack Jin Kim Lee Oda Sue Una Vic Wes Hal Jon""")

OTHER_WOMEN = _words(
    """Aoife Beatrix Ciara Dagny Eilidh Freya Gudrun Hedwig Ingrid Jolanta Katarzyna Liesel Maren Noor Odile Paloma
    Quilla Ragnhild Saoirse Thandiwe Ulrike Vasilisa Wilhelmina Xiomara Ylva Zuzanna Anneliese Birgitta Calliope
    Delphine
    Eleonora Fenella Guinevere Henrietta Imelda Jacinta Kirsten Leocadia Mirabel Nerissa Ottilie Philippa Rosalind
    Svetlana Tatiana"""
)
OTHER_MEN = _words(
    """Anselm Bjarne Cormac Dmitri Eskil Fergus Gunnar Henrik Ivo Joaquin Kazimir Lorcan Mateusz Niall Oisin Piotr
    Quentin Rasmus Sione Torvald Uwe Viggo Wolfgang Ximeno Yannick Zoltan Alasdair Baltasar Casimir Desmond Emeka
    Florian
    Giancarlo Horatio Ignatius Jeroen Konstantin Leopold Magnus Nikolai Osvaldo Pascual Reinhard Stellan Thaddeus"""
)

SORTS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        _words("apples bananas pears peaches lemons mangoes plums cherries strawberries blueberries grapes figs"),
        _words("quinces persimmons guavas kumquats papayas nectarines lychees tangerines apricots avocados"),
    ),
    (
        _words("pencils crayons markers erasers notebooks rulers envelopes stickers"),
        _words("quills chalks highlighters binders stencils protractors inkpots easels"),
    ),
    (
        _words("cookies cupcakes muffins donuts brownies pies cakes candies lollipops chocolates"),
        _words("pretzels macaroons waffles scones tartlets truffles nougats eclairs"),
    ),
    (
        _words("roses tulips daisies lilies sunflowers"),
        _words("peonies begonias dahlias lupins camellias asters irises"),
    ),
    (
        _words("cats rabbits hamsters goldfish puppies kittens"),
        _words("ferrets gerbils tortoises parakeets budgerigars alpacas"),
    ),
    (
        _words("shirts hats socks scarves gloves jackets skirts sweaters"),
        _words("vests bonnets mittens ponchos cardigans tunics sashes aprons"),
    ),
    (
        _words("toys dolls balls marbles puzzles kites balloons"),
        _words("puppets yoyos frisbees dominoes pinwheels origamis"),
    ),
    (
        _words(
            """badges beads bells books bottles boxes buttons candles cards chairs coins cups eggs
            feathers flags keys lamps
            magnets maps medals mugs nails pebbles pens caps coats towels lemons toys balls pins plates
            postcards posters ribbons ropes seeds shells
            spoons stamps tickets tiles tokens boats bones forks masks shoes nuts rings tents vases drums"""
        ),
        _words(
            """thimbles whistles figurines corks gears pulleys prisms tassels ladles lanterns trinkets
            compasses hinges
            sieves brooches anchors ornaments urns arrows"""
        ),
    ),
)
"""Sorts of things in the plural: those told of, and those in their place. The last one is of things that have
little in
common: it is for generated tasks, where nothing hangs on what a thing is.
"""


def singular(plural: str) -> str:
    """``cherries`` -> ``cherry``, ``boxes`` -> ``box``, ``keys`` -> ``key``."""
    if plural.endswith("ies") and plural not in ("cookies", "brownies", "pies"):
        return f"{plural[:-3]}y"
    if plural == "scarves":
        return "scarf"
    if plural.endswith(("xes", "ches", "shes", "sses", "toes", "noes", "goes")):
        return plural[:-2]
    return plural[:-1] if plural.endswith("s") else plural
