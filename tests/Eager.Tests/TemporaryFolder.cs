namespace Fusion.Tests;

/// <summary>A folder of its own that is removed afterwards.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("fusion-tests-").FullName;

    public string this[string name] => Path.Combine(_path, name);

    public int FileCount => Directory.GetFiles(_path).Length;

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
