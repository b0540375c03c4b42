using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Fusion.Tests.Repository;

/// <summary>
/// README and pages are held to the truth: every <c>csharp</c> block compiles and runs, and prints what its <c>// → …</c> comments say; a
/// <c>csharp fragment</c> is parsed; every path in backquotes exists.
/// </summary>
[Collection(nameof(ConsoleOutput))]
public partial class DocumentationTests
{
    // Read once: compilations of the same references share what the compiler has made of them.
    private static readonly MetadataReference[] s_references =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(static p => MetadataReference.CreateFromFile(p))];

    public static TheoryData<string> Pages => [.. RepositoryRoot.Files(".", "*.md").Where(static f => !f.Contains("/data/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void CodeBlocksCompileAndPrintWhatTheySay(string page)
    {
        foreach (Match block in CodeBlock().Matches(RepositoryRoot.Read(page)))
        {
            string code = block.Groups["code"].Value;
            if (block.Groups["fragment"].Success)
            {
                SyntaxTree parsed = CSharpSyntaxTree.ParseText(code, new CSharpParseOptions(LanguageVersion.CSharp14));
                Assert.DoesNotContain(parsed.GetDiagnostics(), static d => d.Severity == DiagnosticSeverity.Error);
                continue;
            }

            string printed = Run(page, code);
            int from = 0;
            foreach (Match expected in Printed().Matches(code))
            {
                int at = printed.IndexOf(expected.Groups["text"].Value.Trim(), from, StringComparison.Ordinal);
                Assert.True(at >= 0, $"{page}: the block says that it prints '{expected.Groups["text"].Value.Trim()}', it prints\n{printed}");
                from = at + 1;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void PathsInBackquotesExist(string page)
    {
        string text = CodeBlock().Replace(RepositoryRoot.Read(page), string.Empty);
        foreach (Match match in PathInText().Matches(text))
        {
            string path = Path.Combine(RepositoryRoot.Path, match.Groups["path"].Value);
            Assert.True(File.Exists(path) || Directory.Exists(path), $"{page} names {match.Groups["path"].Value}, which does not exist.");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void LinksLeadSomewhere(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(RepositoryRoot.Path, page))!;
        foreach (Match match in Link().Matches(RepositoryRoot.Read(page)))
        {
            string target = match.Groups["target"].Value.Split('#')[0];
            if (target.Length == 0 || target.Contains("://", StringComparison.Ordinal)) continue;
            Assert.True(File.Exists(Path.Combine(folder, target)) || Directory.Exists(Path.Combine(folder, target)), $"{page} links to {target}, which does not exist.");
        }
    }

    private static string Run(string page, string code)
    {
        const string usings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";
        CSharpParseOptions options = new(LanguageVersion.CSharp14);
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Page" + Guid.NewGuid().ToString("N"),
            [CSharpSyntaxTree.ParseText(usings, options), CSharpSyntaxTree.ParseText(code, options)],
            s_references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable));
        using MemoryStream image = new();
        Microsoft.CodeAnalysis.Emit.EmitResult result = compilation.Emit(image);
        Assert.True(result.Success, $"{page}: {string.Join("\n", result.Diagnostics.Where(static d => d.Severity == DiagnosticSeverity.Error))}\n{code}");
        MethodInfo main = Assembly.Load(image.ToArray()).EntryPoint!;
        TextWriter before = Console.Out;
        using StringWriter output = new();
        Console.SetOut(output);
        try
        {
            object? returned = main.Invoke(null, main.GetParameters().Length == 0 ? [] : [Array.Empty<string>()]);
            if (returned is Task task) task.GetAwaiter().GetResult();
        }
        finally
        {
            Console.SetOut(before);
        }

        return output.ToString();
    }

    [GeneratedRegex(@"^(?<indent>[ \t]*)```csharp(?<fragment> fragment)?[ \t]*\r?\n(?<code>.*?)^[ \t]*```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"// → (?<text>[^\n]*)")]
    private static partial Regex Printed();

    [GeneratedRegex(@"`(?<path>(?:src|tests|bench|samples|docs|tools|\.ci)/[\w./-]+)`")]
    private static partial Regex PathInText();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}

/// <summary>Tests that redirect the console run alone.</summary>
[CollectionDefinition(nameof(ConsoleOutput), DisableParallelization = true)]
public sealed class ConsoleOutput;
