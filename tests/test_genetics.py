"""What variants amount to: by alleles, phase and classification."""

import pytest

from hlhcli.genetics import Genes, amounts_to, misprint, symbol
from hlhcli.patient import Patient

FHL = ("PRF1", "UNC13D", "STXBP2", "STX11")
P, L, V, B = "pathogenic", "likely pathogenic", "VUS", "benign"
HOM, HET, COMP, HEMI = "homozygous", "heterozygous", "compound heterozygous", "hemizygous"


def genetics(*variants, tested=()):
    listed = [
        {key: value for key, value in zip(("gene", "zygosity", "classification"), each, strict=True) if value} for each in variants
    ]
    return Patient.read({"timepoints": [{"name": "now"}], "genetics": {"tested": list(tested), "variants": listed}}).genetics


@pytest.mark.parametrize(
    ("variants", "possible"),
    [
        ([("PRF1", HOM, P)], "clear"),
        ([("PRF1", COMP, P), ("PRF1", COMP, P)], "clear"),
        ([("Munc13-4", COMP, P), ("UNC13D", COMP, P)], "clear"),
        ([("PRF1", COMP, P), ("PRF1", COMP, V)], "probable"),
        ([("PRF1", COMP, P), ("PRF1", COMP, L)], "probable"),
        ([("PRF1", HOM, L)], "probable"),
        ([("STX11", HOM, V)], "uncertain"),
        ([("STX11", COMP, V), ("STX11", COMP, V)], "uncertain"),
        ([("PRF1", HET, P)], "carrier"),
        ([("PRF1", HET, P), ("STX11", HET, P)], "carrier"),
        ([("PRF1", HET, V)], "uncertain"),
        ([("PRF1", HET, P), ("PRF1", HET, V)], "probable carrier"),
        ([("PRF1", HET, P), ("PRF1", HET, L)], "probable carrier"),
        ([("PRF1", HET, P), ("PRF1", HET, P)], "clear carrier"),
        ([("PRF1", COMP, P), ("PRF1", COMP, B)], "carrier"),
        ([("PRF1", HOM, P), ("PRF1", None, None)], "clear"),
        ([("PRF1", HOM, B), ("PRF1", COMP, P), ("PRF1", COMP, P)], "clear"),
        ([("PRF1", HOM, B), ("PRF1", HET, P)], "carrier"),
        ([("PRF1", HOM, V), ("PRF1", HET, P)], "probable"),
        ([("PRF1", COMP, P), ("PRF1", COMP, V), ("PRF1", HET, P)], "clear probable"),
        ([*[("PRF1", HET, B)] * 9, ("PRF1", COMP, P), ("PRF1", COMP, P)], "clear"),
        ([("PRF1", HEMI, P)], "clear carrier"),
        ([("PRF1", None, P)], "clear carrier"),
        ([("PRF1", None, L)], "probable carrier"),
        ([("PRF1", HOM, None)], "clear uncertain"),
        ([("PRF1", COMP, P)], "clear probable"),
        ([("PRF1", HOM, B)], "untested"),
        ([("PRF1", HET, V), ("PRF1", HET, V)], "uncertain"),
        ([("XIAP", HEMI, P)], "untested"),
        ([("STXBP1", HOM, P)], "untested"),
        ([], "untested"),
    ],
)
def test_amounts_to(variants, possible):
    """Every allele clearly disease-causing suffices; less is less; what is not stated leaves each of its readings possible."""
    assert amounts_to(genetics(*variants), FHL)[0] == set(possible.split())


def test_negative_takes_all_genes():
    """No variant says nothing about a gene that was not tested."""
    assert amounts_to(genetics(tested=FHL), FHL)[0] == {"negative"}
    assert amounts_to(genetics(tested=FHL[:3]), FHL)[0] == {"untested"}
    assert amounts_to(genetics(("PRF1", HOM, B), tested=FHL), FHL)[0] == {"negative"}


def test_one_copy_is_all_of_a_gene_on_the_x_chromosome():
    """A hemizygous variant of XIAP or SH2D1A affects the only allele."""
    assert amounts_to(genetics(("BIRC4", HEMI, P)), ["XIAP"])[0] == {"clear"}
    assert amounts_to(genetics(("SAP", HET, P)), ["SH2D1A"])[0] == {"carrier"}


def test_the_best_gene_counts():
    """A clear finding in one gene is not hidden by an open one in another."""
    assert amounts_to(genetics(("PRF1", None, P), ("STX11", HOM, P)), FHL)[0] == {"clear"}


def test_what_is_missing_is_named():
    """The note says which fact would settle it."""
    for variants, fact in (
        ([("PRF1", None, P)], "PRF1: not stated: the zygosity"),
        ([("PRF1", HOM, None)], "PRF1: not stated: the classification"),
        ([("PRF1", COMP, P)], "PRF1: not stated: the second variant"),
        ([("PRF1", HET, P), ("PRF1", HET, P)], "PRF1: not stated: whether both alleles are affected"),
    ):
        assert amounts_to(genetics(*variants), FHL)[1].startswith(fact)


def test_names_and_misprints():
    """Genes go by their symbol; a gene that two papers misprint is called so."""
    assert [symbol(name) for name in ("munc18-2", "BIRC4", "Syntaxin-11", "SAP", "prf1")] == [
        "STXBP2",
        "XIAP",
        "STX11",
        "SH2D1A",
        "PRF1",
    ]
    assert "misprint" in (misprint(genetics(tested=["STXBP1"])) or "")
    assert misprint(genetics(("STXBP2", HOM, P))) is None
    assert "did you mean 'PRF1'" in (misprint(genetics(("PRF", HOM, P))) or "")
    assert misprint(genetics(("NLRC4", HET, P))) is None
    assert Genes(genetics(tested=["PRF1", "Munc13-4"])).text == "no variant in PRF1, Munc13-4"
