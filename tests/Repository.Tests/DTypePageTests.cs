namespace Fusion.Tests.Repository;

/// <summary>The tables of docs/dtypes.md are what the library answers. Set FUSION_UPDATE_DOCS=1 to write the page anew.</summary>
public sealed class DTypePageTests
{
    [Fact]
    public void ThePageIsThatOfTheLibrary() => GeneratedPage.Check("dtypes.md", DTypePage.Write());

    [Fact]
    public void TheFunctionsOfALineAgree() => Assert.DoesNotContain(" / ", DTypePage.Write().Split("## Functions")[1], StringComparison.Ordinal);
}
