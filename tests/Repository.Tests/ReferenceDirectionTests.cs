using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Fusion.Tests.Repository;

/// <summary>References point down only: Kernels ← Eager ← Graph.</summary>
public partial class ReferenceDirectionTests
{
    public static TheoryData<string, string[]> Projects => new()
    {
        { "src/Kernels/Fusion.Kernels.csproj", [] },
        { "src/Eager/Fusion.csproj", ["Fusion.Kernels.csproj"] },
        { "src/Graph/Fusion.Graph.csproj", ["Fusion.csproj"] },
    };

    [Theory]
    [MemberData(nameof(Projects))]
    public void AProjectReferencesTheRoomBelow(string project, string[] expected)
    {
        string[] actual = [.. Items(project, "ProjectReference").Select(static r => r.Split('/', '\\')[^1])];
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void AssembliesReferenceWhatTheirProjectsSay()
    {
        string[] kernels = References(typeof(DType).Assembly), eager = References(typeof(NDArray).Assembly), graph = References(typeof(Hybrid).Assembly);
        Assert.DoesNotContain("Fusion", kernels);
        Assert.DoesNotContain("Fusion.Graph", kernels);
        Assert.DoesNotContain("Fusion.Graph", eager);
        Assert.Contains("Fusion", graph);
    }

    [Fact]
    public void EagerDoesNotSpeakOfTheCompilersTypes()
    {
        string[] names = [.. typeof(Hybrid).Assembly.GetExportedTypes().Where(static t => !t.IsNested).Select(static t => t.Name.Split('`')[0])];
        foreach (string file in RepositoryRoot.Files("src/Eager", "*.cs"))
        {
            string code = Comments().Replace(RepositoryRoot.Read(file), string.Empty);
            string[] found = [.. names.Where(n => Regex.IsMatch(code, $@"\b{n}\b"))];
            Assert.True(found.Length == 0, $"{file} names {string.Join(", ", found)}, which live in src/Graph.");
        }
    }

    [Fact]
    public void OnlyKernelsUsesCodeGenerators()
    {
        foreach (string project in RepositoryRoot.Files("src", "*.csproj"))
        {
            string[] packages = [.. Items(project, "PackageReference")];
            Assert.DoesNotContain(packages, static p => p.Contains("Torch", StringComparison.OrdinalIgnoreCase));
            if (!project.StartsWith("src/Kernels", StringComparison.Ordinal)) Assert.DoesNotContain(packages, static p => p.StartsWith("ILGPU", StringComparison.Ordinal) || p == "FastExpressionCompiler");
        }
    }

    private static IEnumerable<string> Items(string project, string item) =>
        RepositoryRoot.Project(project).Descendants(item).Attributes("Include").Select(static (XAttribute a) => a.Value);

    private static string[] References(System.Reflection.Assembly assembly) => [.. assembly.GetReferencedAssemblies().Select(static a => a.Name!)];

    [GeneratedRegex("//[^\n]*|\"[^\"\n]*\"")]
    private static partial Regex Comments();
}
